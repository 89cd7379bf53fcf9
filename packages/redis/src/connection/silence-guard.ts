import { backgroundInterval } from "@kv/core";
import type { Redis } from "ioredis";

/** How many times a connection is checked within the limit. */
const LOOKS = 16;

/**
 * Closes a connection whose other end has vanished: TCP alone takes minutes to notice. ioredis has the option
 * `socketTimeout` for that, which creates and clears a timer for every round trip: a tenth of the time of a lone write. One
 * timer that checks now and then adds no cost per command. It counts its checks instead of milliseconds, so that a process
 * that was busy or suspended for longer than the limit first reads what has arrived.
 */
export class SilenceGuard {
  readonly #client: Redis;
  readonly #limit: number;
  readonly #connected = (): void => this.attend();
  #stopLooking: (() => void) | undefined;
  #stream: Redis["stream"] | undefined;
  #read = 0;
  /** How many checks in a row found an answer due and nothing received. */
  #silent = 0;
  /** How many checks in a row found no answer due. */
  #idle = 0;

  /** `limit`: milliseconds that the server may be silent; up to a sixteenth may be added. */
  constructor(client: Redis, limit: number) {
    this.#client = client;
    this.#limit = limit;
    // The driver's greeting bypasses `attend`, and may remain unanswered, too.
    client.on("connect", this.#connected);
  }

  /** Call it for every command. */
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
