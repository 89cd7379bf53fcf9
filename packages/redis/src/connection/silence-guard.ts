import { backgroundInterval } from "@kv/core";
import type { Redis } from "ioredis";

/** How many times a connection is looked at while it may be silent. */
const LOOKS = 16;

/**
 * Gives up a connection whose other end has vanished: TCP alone takes minutes to notice. For that ioredis has the option
 * `socketTimeout`, which makes, inserts and clears a timer for every round trip: a tenth of the time of a lone write. One
 * timer that looks now and then costs nothing by the command. It counts its looks instead of milliseconds, so that a
 * process that was busy or suspended for longer than the limit reads first what has arrived.
 */
export class SilenceGuard {
  readonly #client: Redis;
  readonly #limit: number;
  readonly #connected = (): void => this.attend();
  #stopLooking: (() => void) | undefined;
  #stream: Redis["stream"] | undefined;
  #read = 0;
  /** How many looks in a row found that an answer was due and nothing had come. */
  #silent = 0;
  /** How many found that none was due. */
  #idle = 0;

  /** `limit`: milliseconds that the server may be silent; a sixteenth of it may be added. */
  constructor(client: Redis, limit: number) {
    this.#client = client;
    this.#limit = limit;
    // What is said in greeting goes past `attend`, and may be met by silence, too.
    client.on("connect", this.#connected);
  }

  /** To be told of every command. */
  attend(): void {
    this.#stopLooking ??= backgroundInterval(() => this.#look(), Math.max(1, this.#limit / LOOKS));
  }

  close(): void {
    this.#client.off("connect", this.#connected);
    this.#rest();
  }

  #rest(): void {
    this.#stopLooking?.();
    this.#stopLooking = undefined;
    this.#silent = 0;
    this.#idle = 0;
  }

  #look(): void {
    const { stream, commandQueue } = this.#client;
    if (commandQueue.length === 0) {
      this.#silent = 0;
      if (++this.#idle > LOOKS) this.#rest();
      return;
    }
    this.#idle = 0;
    if (stream !== this.#stream || stream.bytesRead !== this.#read) {
      this.#stream = stream;
      this.#read = stream.bytesRead;
      this.#silent = 0;
    } else if (++this.#silent > LOOKS) {
      this.#silent = 0;
      stream.destroy(new Error(`Socket timeout: no answer within ${this.#limit} ms`));
    }
  }
}
