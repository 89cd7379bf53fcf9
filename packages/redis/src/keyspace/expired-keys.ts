import { type Bounds, compareKeys } from "@kv/core";
import { errorCode } from "../errors.ts";
import { COLLECT, COUNT, DUE, EXIST } from "../scripts/keyspace-scripts.ts";
import type { Space } from "../stored/layout.ts";
import { lexBounds } from "../stored/lex-bounds.ts";
import type { Target } from "../write/script-target.ts";

/** How many entries a script examines: the server serves no other client while it runs. */
const SLICE = 1000;
/** How often entries that expire meanwhile are removed before counting. */
const ROUNDS = 8;
const EVERYTHING: Bounds = { start: "", end: undefined };

/** Removes expired entries from the index. */
export class Collector {
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  /** Returns how many entries were removed. */
  async collect(space: Space): Promise<number> {
    const { link } = this.#target;
    for (let removed = 0; ; ) {
      const due = (await link.query(DUE, [space.due], [String(SLICE)])) as Buffer[];
      if (due.length === 0) return removed;
      const names = due.map((key) => space.entries + String(key));
      const [over = 0, kept = 0] = (await this.#target.run(COLLECT, space, names, [])) as number[];
      removed += over;
      // Another store has collected the others; the next sweep takes the rest.
      if (over + kept === 0 || due.length < SLICE) return removed;
    }
  }

  /** How many live entries lie within the bounds, by the index. */
  async count(space: Space, bounds: Bounds): Promise<number> {
    for (let round = 1; ; round++) {
      const [count, due] = await this.#counted(space, bounds);
      if (count === 0 || due === 0 || round === ROUNDS) return count;
      try {
        await this.collect(space);
      } catch (error) {
        // A replica is collected by its master.
        if (errorCode(error) !== "KV_READ_ONLY") throw error;
        return count - (await this.#gone(space, bounds));
      }
    }
  }

  /** Whether the space holds any live entry. */
  async isLiving(space: Space): Promise<boolean> {
    const [count, due] = await this.#counted(space, EVERYTHING);
    // Only if every deadline may be over do the entries have to be examined.
    return count > due || (count > 0 && (await this.count(space, EVERYTHING)) > 0);
  }

  /** How many keys are listed within the bounds, and how many of all keys may be past their deadline. */
  async #counted(space: Space, bounds: Bounds): Promise<readonly [count: number, due: number]> {
    const reply = await this.#target.link.query(COUNT, [space.keys, space.due], lexBounds(bounds));
    const [count = 0, due = 0] = reply as number[];
    return [count, due];
  }

  /** How many of the keys listed within the bounds have expired. */
  async #gone(space: Space, { start, end }: Bounds): Promise<number> {
    const { link } = this.#target;
    const due = ((await link.query(DUE, [space.due], ["-1"])) as Buffer[])
      .map(String)
      .filter((key) => compareKeys(key, start) >= 0 && (end === undefined || compareKeys(key, end) < 0));
    let gone = 0;
    for (let from = 0; from < due.length; from += SLICE) {
      const names = due.slice(from, from + SLICE).map((key) => space.entries + key);
      const found = (await link.query(EXIST, names, [])) as number[];
      gone += found.filter((there) => there === 0).length;
    }
    return gone;
  }
}
