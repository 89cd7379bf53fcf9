import type { Scanner } from "../read/scanner.ts";
import { FORGET } from "../scripts/keyspace-scripts.ts";
import type { Space } from "../stored/layout.ts";
import type { Target } from "../write/script-target.ts";
import type { ServerFacts } from "./server-facts.ts";

/** How many entries a script examines: the server serves no other client while it runs. */
const SLICE = 1000;

/** Above this many entries, the index is looked through only if a sample shows that some were evicted. */
const MANY = 100_000;

/** How closely a sweep looks for evicted entries. */
export type Look = "at all" | "at some" | "not";

/**
 * Removes entries from the index that the server itself has evicted, which it does not report: until then such an entry reads
 * as absent, but is counted. Finding them means looking through the whole index, so this is done only if the server has
 * evicted something since the last time. If the server does not report that, a sample is examined first.
 */
export class Evictions {
  readonly #target: Target;
  readonly #scanner: Scanner;
  readonly #facts: ServerFacts;
  /** The server's evictions at the last look; `undefined`: there was none yet. */
  #known: string | undefined;

  constructor(target: Target, scanner: Scanner, facts: ServerFacts) {
    this.#target = target;
    this.#scanner = scanner;
    this.#facts = facts;
  }

  /** Runs a sweep, and passes it how closely to look. */
  async during(sweep: (look: Look) => Promise<number>): Promise<number> {
    const evicted = await this.#facts.evictions();
    const removed = await sweep(
      evicted === undefined ? "at some" : evicted === "none" || evicted === this.#known ? "not" : "at all",
    );
    this.#known = evicted;
    return removed;
  }

  /** Returns how many evicted entries were removed from the index of a space. */
  async collect(space: Space, look: Look): Promise<number> {
    if (look === "not") return 0;
    let removed = 0;
    // A full server that is shared evicts something between any two sweeps, mostly other programs' keys.
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
