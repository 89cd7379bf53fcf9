import type { Space } from "./layout.ts";
import { COLLECT, COUNT, DUE } from "./scripts.ts";
import type { Target } from "./target.ts";

/** How many entries a script looks at: while it runs, the server serves nobody else. */
const SLICE = 1000;
/** How often what expires meanwhile is taken out before something is counted. */
const ROUNDS = 8;

/** Takes out of the index what expired. */
export class Collector {
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  /** → how many entries were taken out */
  async collect(space: Space): Promise<number> {
    const { link } = this.#target;
    for (let removed = 0; ; ) {
      const due = (await link.query(DUE, [space.due], [String(SLICE)])) as Buffer[];
      if (due.length === 0) return removed;
      const names = due.map((key) => space.entries + String(key));
      const [over = 0, kept = 0] = (await this.#target.run(COLLECT, space, names, [])) as number[];
      removed += over;
      // What is left was taken by somebody else; the rest is for the next sweep.
      if (over + kept === 0 || due.length < SLICE) return removed;
    }
  }

  /** How many live entries lie within the bounds, by the index alone. */
  async count(space: Space, least: string, most: string): Promise<number> {
    for (let round = 1; ; round++) {
      const reply = await this.#target.link.query(COUNT, [space.keys, space.due], [least, most]);
      const [count = 0, due = 0] = reply as number[];
      if (count === 0 || due === 0 || round === ROUNDS) return count;
      await this.collect(space);
    }
  }

  /** Whether the space holds any live entry. */
  async isLiving(space: Space): Promise<boolean> {
    const reply = await this.#target.link.query(COUNT, [space.keys, space.due], ["-", "+"]);
    const [count = 0, due = 0] = reply as number[];
    // Only where the deadline of all may be over it has to be looked at them.
    return count > due || (count > 0 && (await this.count(space, "-", "+")) > 0);
  }
}
