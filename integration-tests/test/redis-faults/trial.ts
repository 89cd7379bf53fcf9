import { setTimeout as sleep } from "node:timers/promises";
import { inspect, isDeepStrictEqual } from "node:util";
import type { Change, Store } from "@kv/core";
import { type Verdict, verdictOf } from "../../linearizability/verdict.ts";
import type { Fault } from "./faults.ts";
import { eventually, PASSWORD, type Place, placeOf, TIMEOUT_MS } from "./place.ts";

/** What a caller saw of a fault. */
export interface Trial {
  /** The different words for what reads and writes came to. */
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
  /** What the watcher was told from the fault on, in order, without repetitions. */
  readonly watched: readonly string[];
  /** Changes by another client during the fault that the watcher received neither as a change nor as a resync. */
  readonly missed: readonly string[];
  /** What is wrong in what reads answered, or in what the store held afterwards. */
  readonly wrong: readonly string[];
  /** Milliseconds that the slowest operation took. */
  readonly slowest: number;
  /** Milliseconds from the fault's end until the store could be written again, and until its watcher received a change. */
  readonly usable: number;
  readonly watching: number;
  /** Every message of an error. */
  readonly messages: readonly string[];
}

/** Enough for a scan to need several pages. */
const MANY = 600;
const LARGE = "x".repeat(5_000);
const COUNT = 10;

export async function tried(fault: Fault): Promise<Trial> {
  await using place = await placeOf();
  const { store, witness } = place;
  await prepare(store);
  const changes: Change<unknown>[] = [];
  await store.scope("watched").subscribe((change) => void changes.push(change));
  await witness.set("watched:before", 1);
  await eventually(async () => demand(changes.length > 0));
  changes.length = 0;

  const attempts = new Attempts(store, fault.empties === true);
  if (fault.strikes === "within") {
    await place.proxy.set({ kind: "latency", milliseconds: 40 });
    attempts.begin();
    // The requests have arrived by now, and the answers have not.
    await sleep(60);
    await fault.begin(place);
  } else {
    await fault.begin(place);
    attempts.begin();
  }
  const others = Promise.all([
    verdictOf(witness.set("watched:during", 1)).then(({ is }) => (is === "ok" ? ["set during"] : [])),
    verdictOf(witness.delete("watched:old")).then(({ is }) => (is === "ok" ? ["delete old"] : [])),
  ]);
  await attempts.ended;
  await fault.end(place);
  const healed = performance.now();
  await eventually(() => store.set("usable", true));
  const usable = performance.now() - healed;
  const made = fault.empties === true ? [] : (await others).flat();
  const watching = await toldAgain(place, changes);
  const told = changes.map(wordOf);
  return {
    ...attempts,
    watched: told.filter((word, i) => word !== told[i - 1]),
    missed: told.includes("resync") ? [] : made.filter((change) => !told.includes(change)),
    wrong: [...attempts.wrong, ...(await attempts.wrongAfterwards(witness))],
    usable,
    watching: watching - healed,
  };
}

async function prepare(store: Store): Promise<void> {
  await store.setMany(Array.from({ length: MANY }, (_, i) => [`many:${i}`, i]));
  await store.setMany(Object.entries({ count: COUNT, a: 0, b: 0, gone: 0, "watched:old": 0 }));
  await store.namespace("large").set("count2", COUNT);
}

function wordOf(change: Change<unknown>): string {
  return change.type === "resync" ? "resync" : `${change.type} ${change.key.replace(/\d+$/, "")}`;
}

/** Resolves to the time at which the watcher received a change; a resync does not count. */
async function toldAgain({ witness }: Place, changes: readonly Change<unknown>[]): Promise<number> {
  let n = 0;
  return eventually(async () => {
    await witness.set(`watched:after${n++}`, n);
    demand(changes.some((change) => change.type === "set" && change.key.startsWith("after")));
    return performance.now();
  });
}

function demand(holds: boolean): void {
  if (!holds) throw new Error("not yet");
}

/** One operation of each kind, all at once, and what became of them. */
class Attempts {
  readonly reads = new Set<string>();
  readonly writes = new Set<string>();
  readonly wrong: string[] = [];
  readonly messages: string[] = [];
  slowest = 0;
  ended: Promise<unknown> = Promise.resolve();
  readonly #store: Store;
  readonly #emptied: boolean;
  readonly #verdicts = new Map<string, Verdict<unknown>>();

  constructor(store: Store, emptied: boolean) {
    this.#store = store;
    this.#emptied = emptied;
  }

  begin(): void {
    const store = this.#store;
    const here = <T>(value: T): T | undefined => (this.#emptied ? undefined : value);
    const counted = this.#emptied ? 0 : MANY;
    this.ended = Promise.all([
      this.#read("get", store.get("many:7"), here(7)),
      this.#read("getMany", store.getMany(["many:8", "absent"]), [here(8), undefined]),
      this.#read("scan", lengthOf(store.keys({ prefix: "many:" })), counted),
      this.#read("count", store.count({ prefix: "many:" }), counted),
      this.#write("increment", store.increment("count")),
      this.#write("commit", store.atomic().set("a", 1).set("b", 1).commit()),
      // In a namespace of its own, so that it shares neither batch nor fate with the others.
      this.#write(
        "large commit",
        store.namespace("large").atomic().set("large", LARGE).increment("count2").commit(),
      ),
      this.#write("delete", store.delete("gone")),
    ]);
  }

  async #read(name: string, reading: Promise<unknown>, right: unknown): Promise<void> {
    const verdict = await this.#timed(name, reading);
    if (verdict.is !== "ok") this.reads.add(verdict.error.code);
    else if (isDeepStrictEqual(verdict.value, right)) this.reads.add("right");
    else this.wrong.push(`${name} answered ${JSON.stringify(verdict.value)}`);
  }

  async #write(name: string, writing: Promise<unknown>): Promise<void> {
    const verdict = await this.#timed(name, writing);
    this.#verdicts.set(name, verdict);
    if (verdict.is === "ok") this.writes.add("applied");
    else this.writes.add(`${verdict.is === "failed" ? "refused" : "unknown"} ${verdict.error.code}`);
  }

  async #timed(name: string, operation: Promise<unknown>): Promise<Verdict<unknown>> {
    const since = performance.now();
    const hung = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`${name} hung`)), 10 * TIMEOUT_MS).unref();
    });
    const verdict = await verdictOf(Promise.race([operation, hung]));
    this.slowest = Math.max(this.slowest, performance.now() - since);
    if (verdict.is !== "ok") {
      this.messages.push(verdict.error.message);
      if (inspect(verdict.error, { depth: 8 }).includes(PASSWORD))
        this.wrong.push(`${name} told the password`);
    }
    return verdict;
  }

  /** Compares what is there with what the caller was told. */
  async wrongAfterwards(witness: Store): Promise<string[]> {
    const base = this.#emptied ? 0 : COUNT;
    const [count = 0, a, b, gone] = await witness.getMany(["count", "a", "b", "gone"]);
    const [large, count2 = 0] = await witness.namespace("large").getMany(["large", "count2"]);
    const state = (applied: boolean) => (applied ? "applied" : "not applied");
    const found = new Map<string, string>([
      ["increment", count === base + 1 ? state(true) : count === base ? state(false) : `${count}`],
      ["commit", a === b ? state(a === 1) : `halved: ${a} and ${b}`],
      [
        "large commit",
        (large === LARGE) === (count2 === base + 1) && (large === LARGE || count2 === base)
          ? state(large === LARGE)
          : `halved: ${typeof large} and ${count2}`,
      ],
      [
        "delete",
        this.#emptied ? state(this.#verdicts.get("delete")?.is === "ok") : state(gone === undefined),
      ],
    ]);
    const wrong: string[] = [];
    for (const [name, what] of found) {
      const is = this.#verdicts.get(name)?.is;
      const allowed = { ok: ["applied"], failed: ["not applied"], unknown: ["applied", "not applied"] };
      if (is === undefined || !allowed[is].includes(what)) wrong.push(`${name}: told ${is}, found ${what}`);
    }
    return wrong;
  }
}

async function lengthOf(keys: AsyncIterable<string>): Promise<number> {
  let length = 0;
  for await (const _ of keys) length++;
  return length;
}
