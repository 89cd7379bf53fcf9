import { Refusal } from "@kv/core";
import type { Argument, Link } from "../connection/link.ts";
import { errorCode } from "../errors.ts";
import type { Space } from "../stored/layout.ts";

/** What a script answers where a value that went ahead has not arrived. */
const SOURCE_GONE = -2;
/** Milliseconds that a value lives which no script took. */
const LIFE_MS = "60000";

/** Large values, which go ahead of the script that puts them in their places, into names of their own. */
export class Transit {
  readonly names: string[] = [];
  readonly #values: Argument[] = [];
  readonly #space: Space;
  readonly #link: Link;

  constructor(link: Link, space: Space) {
    this.#link = link;
    this.#space = space;
  }

  /** A value, and the revision that its write makes, which no other write has: it serves for a name. */
  add(value: Argument, revision: string): void {
    this.names.push(this.#space.transit + revision);
    this.#values.push(value);
  }

  /** Sends the values, and right behind them the script. → its answer */
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
      // The server closed the connection at a value that was too large, and never read the script behind it.
      for (const arrival of arrivals)
        if (
          arrival.status === "rejected" &&
          errorCode(arrival.reason) === "KV_CAPACITY" &&
          outcome?.status === "rejected"
        )
          throw arrival.reason;
      // Before the values' other failures: only this one knows whether the write may have been applied.
      if (outcome?.status === "rejected") throw outcome.reason;
      if (outcome?.value !== SOURCE_GONE) return outcome?.value;
      // A value that was refused (a full memory) says more than the script that misses it.
      for (const arrival of arrivals) if (arrival.status === "rejected") throw arrival.reason;
      // A node that takes over a slot may have got the script, but not what went ahead of it. And a server whose memory is
      // full evicts what has a deadline, as these have.
      if (attempt === 3) {
        throw new Refusal(
          "KV_CAPACITY",
          "the server did not keep large values for as long as it takes to put them in their places, as one does whose memory is full; raise maxmemory",
        );
      }
    }
  }
}
