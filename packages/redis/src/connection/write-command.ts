import { isError } from "@kv/core";
import { Command } from "ioredis";

/** In place of a command that may not be sent twice: harmless, and answered with what no script answers. */
const PING = "*1\r\n$4\r\nPING\r\n";

/**
 * A command that reaches the server at most once. ioredis sends commands again whose answer was lost (after a
 * reconnect, as its options say; in a Cluster after a failover); of a write nobody knows whether it was applied.
 */
export class WriteCommand extends Command {
  /** Whether it was written to a connection. */
  #sent = false;
  #repeated = false;

  override toWritable(socket: object): string | Buffer {
    if (this.#sent && !this.wasRefused) {
      this.#repeated = true;
      return PING;
    }
    this.#sent = true;
    return super.toWritable(socket);
  }

  /** Whether the answer is that to another command. */
  get repeated(): boolean {
    return this.#repeated;
  }

  /** Whether the server may have applied it although it failed so. */
  inDoubt(error: unknown): boolean {
    return this.#repeated || (this.#sent && !this.wasRefused && !isReply(error));
  }

  /** Whether the server refused it since it was sent. */
  protected get wasRefused(): boolean {
    return false;
  }
}

/**
 * What a node of a Cluster refuses (MOVED, ASK, TRYAGAIN) had no effect and is sent again by ioredis, which for that
 * replaces `reject` by a function of its own: whatever is there is told of a failure through here.
 */
export class ClusterWriteCommand extends WriteCommand {
  #refused = false;

  constructor(name: string, args: (string | Buffer)[]) {
    super(name, args);
    let reject = this.reject;
    Object.defineProperty(this, "reject", {
      get: () => {
        const current = reject;
        return (error: Error) => {
          if (isReply(error)) this.#refused = true;
          current(error);
        };
      },
      set: (replaced: (error: Error) => void) => {
        reject = replaced;
      },
    });
  }

  override toWritable(socket: object): string | Buffer {
    const writable = super.toWritable(socket);
    this.#refused = false;
    return writable;
  }

  protected override get wasRefused(): boolean {
    return this.#refused;
  }
}

/** Whether it is the server's own word. */
export function isReply(error: unknown): boolean {
  return isError(error) && error.name === "ReplyError";
}
