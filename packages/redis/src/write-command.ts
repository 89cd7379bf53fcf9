import { Command } from "ioredis";

/** In place of a command that may not be sent twice: harmless, and answered with what no script answers. */
const PING = "*1\r\n$4\r\nPING\r\n";

/**
 * A command that reaches the server at most once. ioredis sends commands again whose answer was lost (after a
 * reconnect, as its options say; in a Cluster after a failover); of a write nobody knows whether it was applied. What
 * the server itself refused (MOVED, ASK, TRYAGAIN) had no effect and may go out again.
 */
export class WriteCommand extends Command {
  #sent = false;
  #refused = false;
  #repeated = false;

  constructor(name: string, args: (string | Buffer)[]) {
    super(name, args);
    // ioredis replaces `reject` by functions of its own that may send the command again; each is told of through here.
    let reject = this.reject;
    Object.defineProperty(this, "reject", {
      get: () => {
        const current = reject;
        return (error: Error) => {
          if (error.name === "ReplyError") this.#refused = true;
          current(error);
        };
      },
      set: (replaced: (error: Error) => void) => {
        reject = replaced;
      },
    });
  }

  override toWritable(socket: object): string | Buffer {
    if (this.#sent && !this.#refused) {
      this.#repeated = true;
      return PING;
    }
    this.#sent = true;
    this.#refused = false;
    return super.toWritable(socket);
  }

  /** Whether the server may have applied it although no answer of it arrived. */
  get inDoubt(): boolean {
    return this.#repeated || (this.#sent && !this.#refused);
  }

  /** Whether the answer is that to another command. */
  get repeated(): boolean {
    return this.#repeated;
  }
}
