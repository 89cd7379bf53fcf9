import { isError } from "@kv/core";
import { Command } from "ioredis";

/** Sent in place of a command that must not be sent twice: harmless, with an answer that no script gives. */
const PING = "*1\r\n$4\r\nPING\r\n";

/**
 * A command that reaches the server at most once. ioredis resends commands whose answer was lost (after a reconnect, if its
 * options allow; in a Cluster after a failover), but a write without an answer may already have been applied.
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

  /** Whether the answer belongs to the PING sent instead. */
  get repeated(): boolean {
    return this.#repeated;
  }

  /** Whether the server may have applied it despite this error. */
  inDoubt(error: unknown): boolean {
    return this.#repeated || (this.#sent && !this.wasRefused && !isReply(error));
  }

  /** Whether the server has refused it since it was last sent. */
  protected get wasRefused(): boolean {
    return false;
  }
}

/**
 * A command for a Cluster. If a node refuses it (MOVED, ASK, TRYAGAIN), it had no effect, and ioredis sends it again. For that
 * ioredis replaces `reject` with its own function, so the accessor here sees each failure first.
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

/** Whether the error is a reply of the server. */
export function isReply(error: unknown): boolean {
  return isError(error) && error.name === "ReplyError";
}
