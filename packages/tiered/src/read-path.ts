import { after, isPromise, type MaybePromise, type Namespace, rescued, type StoredEntry } from "@kv/core";
import type { FarReads } from "./far/far-reads.ts";
import type { Counters } from "./metrics.ts";
import type { Copies } from "./near/copies.ts";
import type { CopyKeeper } from "./near/copy-keeper.ts";

type Entries = (StoredEntry | undefined)[];

/** Reads keys from the near tier first, then from the far tier, and leaves copies of the entries found there. */
export class ReadPath {
  readonly #keeper: CopyKeeper;
  readonly #farReads: FarReads;
  readonly #counters: Counters;

  constructor(keeper: CopyKeeper, farReads: FarReads, counters: Counters) {
    this.#keeper = keeper;
    this.#farReads = farReads;
    this.#counters = counters;
  }

  read(namespace: Namespace, keys: readonly string[], payloadsOnly: boolean): MaybePromise<Entries> {
    const copies = this.#keeper.forReading(namespace);
    if (!copies.usable) {
      this.#counters.misses += keys.length;
      return this.#farReads.read(namespace, keys, payloadsOnly);
    }
    const found = copies.find(keys, payloadsOnly);
    return isPromise(found)
      ? found.then((entries) => this.#completed(namespace, copies, keys, entries))
      : this.#completed(namespace, copies, keys, found);
  }

  #completed(
    namespace: Namespace,
    copies: Copies,
    keys: readonly string[],
    found: Entries,
  ): MaybePromise<Entries> {
    if (keys.length === 1 && found[0] !== undefined) {
      this.#counters.hits++;
      return found;
    }
    const missing: number[] = [];
    for (let i = 0; i < keys.length; i++) if (found[i] === undefined) missing.push(i);
    this.#counters.hits += keys.length - missing.length;
    if (missing.length === 0) return found;
    this.#counters.misses += missing.length;
    const wanted = missing.map((i) => keys[i]!);
    return after(this.#fetched(namespace, copies, wanted), (entries) => {
      for (const [place, i] of missing.entries()) found[i] = entries[place];
      return found;
    });
  }

  /** Reads whole entries even if the caller wants only payloads: a copy needs the whole entry. */
  #fetched(namespace: Namespace, copies: Copies, keys: readonly string[]): MaybePromise<Entries> {
    const fetch = copies.begin(keys);
    if (fetch === undefined) return this.#farReads.read(namespace, keys, false);
    const read = rescued(
      () => this.#farReads.read(namespace, keys, false),
      (error) => {
        copies.abandon(fetch, keys);
        throw error;
      },
    );
    return after(read, (entries) => {
      copies.fill(fetch, keys, entries);
      return entries;
    });
  }
}
