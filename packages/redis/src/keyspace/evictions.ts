import type { Scanner } from "../read/scanner.ts";
import { FORGET } from "../scripts/keyspace-scripts.ts";
import type { Space } from "../stored/layout.ts";
import type { Target } from "../write/script-target.ts";
import type { ServerFacts } from "./server-facts.ts";

/** How many entries a script looks at: while it runs, the server serves nobody else. */
const SLICE = 1000;

/** More entries than these are not looked through before it is likely that some of them were evicted. */
const MANY = 100_000;

/** How closely a sweep looks for evicted entries. */
export type Look = "at all" | "at some" | "not";

/**
 * Takes out of the index what the server itself has evicted, of which it tells nobody: until then such an entry reads as
 * absent, but counts. To find them the whole index is looked through, so it is done only where the server has evicted
 * something since the last time. Where it does not say, some entries are looked at first.
 */
export class Evictions {
  readonly #target: Target;
  readonly #scanner: Scanner;
  readonly #facts: ServerFacts;
  /** What the server had evicted when it was looked for last; `undefined`: it was not yet. */
  #known: string | undefined;

  constructor(target: Target, scanner: Scanner, facts: ServerFacts) {
    this.#target = target;
    this.#scanner = scanner;
    this.#facts = facts;
  }

  /** Runs a sweep, which is told how closely to look. */
  async during(sweep: (look: Look) => Promise<number>): Promise<number> {
    const evicted = await this.#facts.evictions();
    const removed = await sweep(
      evicted === undefined ? "at some" : evicted === "none" || evicted === this.#known ? "not" : "at all",
    );
    this.#known = evicted;
    return removed;
  }

  /** → how many evicted entries were taken out of the index of a space */
  async collect(space: Space, look: Look): Promise<number> {
    if (look === "not") return 0;
    let removed = 0;
    // On a server that is shared and full something is evicted between any two sweeps, most of it not ours.
    const isLarge = Number(await this.#target.link.call("ZCARD", [space.keys])) > MANY;
    if (look === "at some" || isLarge) {
      const some = (await this.#target.link.call("ZRANDMEMBER", [space.keys, String(SLICE)])) as Buffer[];
      removed = await this.#forget(space, some.map(String));
      if (removed === 0) return 0;
    }
    for await (const keys of this.#scanner.keys(space.keys, { start: "", end: undefined }, SLICE))
      removed += await this.#forget(space, keys);
    return removed;
  }

  async #forget(space: Space, keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const names = keys.map((key) => space.entries + key);
    return Number(await this.#target.run(FORGET, space, names, []));
  }
}
