import type { Store } from "@kv/core";
import { expect } from "vitest";

/** What the journals of `../../workers/faults/burst.ts` have acknowledged, over all its lives. */
export class CrashJournal {
  /** How many writes. */
  acknowledged = 0;
  /** The burst that was begun last. */
  burst = 0;
  /** The burst in which it was acknowledged last, by the word that stands for it. */
  readonly #last = new Map<string, number>();
  readonly #counts = new Set<number>();
  /** The first burst of the last life. */
  #first = 1;
  /** How many commits have taken effect. */
  #commits = 0;

  /** What one life printed. */
  add(lines: readonly string[]): void {
    this.#first = this.burst + 1;
    for (const line of lines) {
      const [what = "", number = ""] = line.split(" ");
      if (what === "begin") {
        this.burst = Number(number);
        continue;
      }
      this.acknowledged++;
      if (what === "count") {
        expect(this.#counts.has(Number(number)), `two increments made ${number}`).toBe(false);
        this.#counts.add(Number(number));
      } else this.#last.set(what, Number(number));
    }
  }

  #of(what: string): number {
    return this.#last.get(what) ?? 0;
  }

  /** Holds it against what is there. Throws at the first thing that was acknowledged and is lost, or was done by half. */
  async verify(store: Store): Promise<void> {
    for (let i = 0; i < 8; i++) this.#expectKept(`s${i}`, await store.get(`s${i}`));
    for (let i = 0; i < 3; i++) {
      const entry = await store.getEntry(`t${i}`);
      this.#expectKept(`t${i}`, entry?.value);
      if (entry !== undefined) expect(entry.metadata.expiresAt, `t${i}'s deadline`).toBeInstanceOf(Date);
    }
    for (let i = 0; i < 3; i++) this.#expectDeleted(i, await store.get(`d${i}`));
    const counted = await store.get("count", 0);
    expect(counted, "increments acknowledged").toBeGreaterThanOrEqual(Math.max(0, ...this.#counts));
    expect(counted, "increments begun").toBeLessThanOrEqual(4 * this.burst);
    await this.#expectWhole(store);
    await this.#expectListed(store);
  }

  #expectKept(key: string, value: unknown): void {
    const least = this.#of(key);
    if (least === 0 && value === undefined) return;
    expect(value, `${key}, acknowledged in burst ${least}`).toBeGreaterThanOrEqual(least);
    expect(value, key).toBeLessThanOrEqual(this.burst);
  }

  /** After a deletion was acknowledged, only a later burst's value may be there. */
  #expectDeleted(i: number, value: unknown): void {
    const set = this.#of(`d${i}`);
    const gone = this.#of(`gone${i}`);
    // The deletion follows at once, and may have taken effect without being acknowledged.
    if (value === undefined) return;
    expect(value, `d${i}, deleted in burst ${gone}`).toBeGreaterThan(gone);
    expect(value, `d${i}, set in burst ${set}`).toBeGreaterThanOrEqual(set);
  }

  async #expectWhole(store: Store): Promise<void> {
    const parts = (await store.getMany(["m0", "m1", "m2", "m3", "m4"])) as ({ burst: number } | undefined)[];
    const bursts = new Set(parts.map((part) => part?.burst));
    expect(bursts.size, `one commit's keys: ${[...bursts].join()}`).toBe(1);
    const burst = parts[0]?.burst ?? 0;
    expect(burst, "the commit").toBeGreaterThanOrEqual(this.#of("m"));
    const tail = (parts[3] as { tail?: string } | undefined)?.tail?.length;
    if (burst > 0) expect(tail, "the commit's long value").toBe((burst * 7919) % 48_000);
    expect(await store.get("m6"), "what the commit set or deleted").toBe(burst % 2 === 1 ? burst : undefined);
    // Every life's bursts are without gaps, and each increments once: `m5` tells of commits found by half exactly.
    if (burst >= this.#first) this.#commits += burst - this.#first + 1;
    expect(await store.get("m5", 0), "increments within commits").toBe(this.#commits);
  }

  /** A scan sees what single reads see. */
  async #expectListed(store: Store): Promise<void> {
    const listed: string[] = [];
    for await (const key of store.keys({ prefix: "m" })) listed.push(key);
    const there = await Promise.all(["m0", "m1", "m2", "m3", "m4", "m5", "m6"].map((key) => store.has(key)));
    expect(listed).toEqual([0, 1, 2, 3, 4, 5, 6].filter((i) => there[i]).map((i) => `m${i}`));
  }
}
