import { Refusal } from "@kv/core";
import type { Argument, Link } from "../connection/link.ts";
import { errorCode } from "../errors.ts";
import type { Space } from "../stored/layout.ts";

/** A script's answer if a staged value is missing. */
const SOURCE_GONE = -2;
/** Milliseconds that a staged value lives if no script moves it. */
const LIFE_MS = "60000";

/** Large values, sent under temporary names ahead of the script that moves them into place. */
export class Transit {
  readonly names: string[] = [];
  readonly #values: Argument[] = [];
  readonly #space: Space;
  readonly #link: Link;

  constructor(link: Link, space: Space) {
    this.#link = link;
    this.#space = space;
  }

  /** Adds a value. The revision of its write is unique, and becomes part of the temporary name. */
  add(value: Argument, revision: string): void {
    this.names.push(this.#space.transit + revision);
    this.#values.push(value);
  }

  /** Sends the values and the script right behind them. Returns the script's answer. */
  async before(script: () => Promise<unknown>): Promise<unknown> {
    if (this.names.length === 0) return script();
    for (let attempt = 1; ; attempt++) {
      const [outcome, ...arrivals] = await Promise.allSettled(
        this.#link.together(() => {
          const ahead = this.names.map((name, i) =>
            this.#link.call("SET", [name, this.#values[i] ?? "", "PX", LIFE_MS]),
          );
          return [script(), ...ahead];
        }),
      );
      // The server closed the connection at a value that was too large, and did not read the script behind it.
      for (const arrival of arrivals)
        if (
          arrival.status === "rejected" &&
          errorCode(arrival.reason) === "KV_CAPACITY" &&
          outcome?.status === "rejected"
        )
          throw arrival.reason;
      // Before the values' other failures: only this one shows whether the write may have been applied.
      if (outcome?.status === "rejected") throw outcome.reason;
      if (outcome?.value !== SOURCE_GONE) return outcome?.value;
      // A value's own refusal (a full memory) explains more than the script that misses it.
      for (const arrival of arrivals) if (arrival.status === "rejected") throw arrival.reason;
      // A node that takes over a slot may have received the script, but not the values before it. And a server with a full
      // memory evicts keys with a deadline, which these have.
      if (attempt === 3) {
        throw new Refusal(
          "KV_CAPACITY",
          "the server dropped large values before they could be moved into place, probably because its memory is full; raise maxmemory",
        );
      }
    }
  }
}
