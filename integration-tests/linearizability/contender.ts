import { setTimeout as sleep } from "node:timers/promises";
import type {
  Check,
  EntryInput,
  EntryOperation,
  EntryOutput,
  Read,
  Write,
} from "@kv/conformance/linearizability";
import type { Store } from "@kv/core";
import { verdictOf } from "./verdict.ts";

/** The keys of a round. Keys of one group are also written together, keys of different groups never. */
export interface Ground {
  readonly groups: readonly (readonly string[])[];
  /** How many operations each client makes. */
  readonly operations: number;
}

export interface Tally {
  ok: number;
  /** Operations whose error says that they had no effect: they are not in the history, and must not show in it. */
  failed: number;
  unknown: number;
}

export interface Part extends Tally {
  readonly history: readonly EntryOperation[];
}

/** The result of an operation: what is known of its input once it is over, and its output. */
interface Done {
  readonly input: EntryInput;
  readonly output: EntryOutput;
}

/** Makes an entry large while its value stays a number: adapters may treat large entries differently. */
const LARGE = { metadata: { padding: "x".repeat(3_000) } };

/** One client: runs random operations on keys that other clients use, too, and records what it saw. */
export class Contender {
  readonly #store: Store;
  readonly #name: string;
  readonly #random: () => number;
  /** The last revision that this client saw of each key. */
  readonly #revisions = new Map<string, string>();
  #value: number;

  /** `index` differs between clients, so that their values do. */
  constructor(index: number, store: Store, random: () => number) {
    this.#store = store;
    this.#name = `client ${index}`;
    this.#random = random;
    this.#value = (index + 1) * 1e9;
  }

  async round({ groups, operations }: Ground): Promise<Part> {
    this.#revisions.clear();
    const history: EntryOperation[] = [];
    const tally: Tally = { ok: 0, failed: 0, unknown: 0 };
    for (let left = operations; left > 0; ) {
      // Some at once, so that they share a batch.
      const burst = Math.min(left, 1 + this.#below(3));
      left -= burst;
      await Promise.all(Array.from({ length: burst }, () => this.#operate(groups, history, tally)));
      await sleep(this.#below(12));
    }
    return { history, ...tally };
  }

  async #operate(
    groups: readonly (readonly string[])[],
    history: EntryOperation[],
    tally: Tally,
  ): Promise<void> {
    const keys = this.#shuffled(this.#one(groups));
    const { input, run } = this.#choice(keys);
    const called = now();
    const verdict = await verdictOf(run());
    const returned = now();
    tally[verdict.is]++;
    if (verdict.is === "ok") history.push({ client: this.#name, ...verdict.value, called, returned });
    else if (verdict.is === "unknown") {
      const doubtful = input();
      if (doubtful !== undefined)
        history.push({
          client: this.#name,
          input: doubtful,
          output: undefined,
          called,
          returned: Number.POSITIVE_INFINITY,
        });
    }
  }

  /** One operation; `input`: what it may have done if its outcome is unknown, if anything. */
  #choice(keys: readonly string[]): {
    input: () => EntryInput | undefined;
    run: () => Promise<Done>;
  } {
    const [key = ""] = keys;
    const store = this.#store;
    const dice = this.#below(keys.length > 1 ? 100 : 70);
    if (dice < 18) return { input: () => undefined, run: () => this.#get(key) };
    if (dice < 24) {
      const input: EntryInput = { do: "set", key, value: this.#next() };
      return this.#fixed(input, async () => {
        const revision = await store.set(key, input.value, this.#size());
        return { revision: this.#noted(key, revision) };
      });
    }
    if (dice < 30) {
      const input: EntryInput = { do: "create", key, value: this.#next() };
      return this.#fixed(input, async () => {
        const revision = await store.create(key, input.value, this.#size());
        return { revision: this.#noted(key, revision) };
      });
    }
    if (dice < 44) {
      const revision = this.#revisions.get(key);
      if (revision === undefined) return { input: () => undefined, run: () => this.#get(key) };
      const input: EntryInput = { do: "replace", key, value: this.#next(), revision };
      return this.#fixed(input, async () => {
        const replaced = await store.replace(key, input.value, { revision, ...this.#size() });
        return { revision: this.#noted(key, replaced) };
      });
    }
    if (dice < 62) {
      return this.#fixed({ do: "increment", key, by: 1 }, async () => ({
        number: await store.increment(key),
      }));
    }
    if (dice < 70) {
      const revision = this.#below(2) === 0 ? undefined : this.#revisions.get(key);
      const given = revision === undefined ? {} : { revision };
      return this.#fixed({ do: "delete", key, ...given }, async () => ({
        existed: await store.delete(key, given),
      }));
    }
    return dice < 87 ? this.#commit(keys) : this.#transaction(keys);
  }

  #fixed(
    input: EntryInput,
    run: () => Promise<EntryOutput>,
  ): { input: () => EntryInput; run: () => Promise<Done> } {
    return { input: () => input, run: async () => ({ input, output: await run() }) };
  }

  async #get(key: string): Promise<Done> {
    const entry = await this.#store.getEntry(key);
    const input: EntryInput = { do: "get", key };
    if (entry === undefined) return { input, output: { got: null } };
    const { revision } = entry.metadata;
    this.#revisions.set(key, revision);
    return { input, output: { got: { value: entry.value as number, revision } } };
  }

  #commit(keys: readonly string[]): { input: () => EntryInput; run: () => Promise<Done> } {
    const checks: Check[] = [];
    const writes = keys.slice(0, 2 + this.#below(2)).map((key) => this.#write(key));
    for (const key of keys) {
      const revision = this.#revisions.get(key);
      if (this.#below(3) === 0) checks.push({ key, revision: revision ?? null });
    }
    return this.#fixed({ do: "commit", checks, writes }, async () => {
      const atomic = this.#store.atomic();
      for (const { key, revision } of checks) atomic.check(key, revision);
      for (const write of writes) {
        if (write.write === "set") atomic.set(write.key, write.value, this.#size());
        else if (write.write === "delete") atomic.delete(write.key);
        else atomic.increment(write.key, write.by);
      }
      const result = await atomic.commit();
      if (!result.ok) return { failed: result.failed };
      for (const [key, revision] of result.revisions) this.#noted(key, revision);
      return { revisions: [...result.revisions] };
    });
  }

  #transaction(keys: readonly string[]): {
    input: () => EntryInput | undefined;
    run: () => Promise<Done>;
  } {
    const [a = "", b = ""] = keys;
    const writes = [this.#write(a), this.#write(b)];
    /** What the last attempt read; `undefined` until it has read everything. */
    let reads: Read[] | undefined;
    const input = (): EntryInput | undefined =>
      reads === undefined ? undefined : { do: "transaction", reads, writes };
    const run = async (): Promise<Done> => {
      await this.#store.transaction(
        async (tx) => {
          reads = undefined;
          const values = await tx.getMany([a, b]);
          for (const write of writes) {
            if (write.write === "set") tx.set(write.key, write.value, this.#size());
            else if (write.write === "delete") tx.delete(write.key);
            else await tx.increment(write.key, write.by);
          }
          reads = [a, b].map((key, i) => ({ key, value: (values[i] as number | undefined) ?? null }));
        },
        { attempts: 3 },
      );
      return { input: { do: "transaction", reads: reads ?? [], writes }, output: { committed: true } };
    };
    return { input, run };
  }

  #write(key: string): Write {
    const dice = this.#below(10);
    if (dice < 5) return { write: "set", key, value: this.#next() };
    return dice < 9 ? { write: "increment", key, by: 1 } : { write: "delete", key };
  }

  #size(): typeof LARGE | Record<never, never> {
    return this.#below(4) === 0 ? LARGE : {};
  }

  #noted(key: string, revision: string | undefined): string | null {
    if (revision !== undefined) this.#revisions.set(key, revision);
    return revision ?? null;
  }

  /** No two writes write the same value, and no increment turns one value into another. */
  #next(): number {
    this.#value += 1_000;
    return this.#value;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #one<T>(of: readonly T[]): T {
    return of[this.#below(of.length)] as T;
  }

  #shuffled<T>(of: readonly T[]): T[] {
    const rest = [...of];
    return of.map(() => rest.splice(this.#below(rest.length), 1)[0] as T);
  }
}

/** Milliseconds of a clock that never goes back, the same one in all processes of a machine. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
