import type { Connection } from "../connection/connection.ts";
import type { MaybePromise } from "../contract/adapter.ts";
import { endOfTick } from "../runtime/platform.ts";
import { Batch, type Kind } from "./batch.ts";

export const NONE: ReadonlySet<Batch> = new Set();

/** The batches that an operation has to wait for, and the one that it can join instead. */
interface Dependencies {
  readonly after: Set<Batch>;
  /** The one batch, not yet started, that already has the keys. */
  readonly join: Batch | undefined;
}

/** Which operations of a namespace may start now, and which have to wait for those before them on the same keys. */
export class ProgramOrder {
  readonly #connection: Connection;
  readonly #execute: (batch: Batch) => MaybePromise<void>;
  /** The tick's batches, still filling. */
  readonly #open: { read: Batch | undefined; commit: Batch | undefined } = {
    read: undefined,
    commit: undefined,
  };
  // Both are replaced, not cleared: V8 links the old hash table of a cleared Map or rehashed Set to the new one, so
  // once one is promoted all later ones are, with their batches.
  /** The last unsettled batch that has the key. */
  #busy = new Map<string, Batch>();
  #unsettled = new Set<Batch>();
  /** The barrier that every later operation waits for: a pending `clear`. */
  #barrier: Batch | undefined;

  constructor(connection: Connection, execute: (batch: Batch) => MaybePromise<void>) {
    this.#connection = connection;
    this.#execute = execute;
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return this.#unsettled.size === 0;
  }

  /** Pending batches, and those that wait for their start. */
  get unsettled(): ReadonlySet<Batch> {
    return this.#unsettled;
  }

  /** A lane made while an ancestor's `clear` is pending has to wait for it, too. */
  inherit(above: ProgramOrder): void {
    if (above.#barrier?.deep) this.join(above.#barrier);
  }

  /** Puts a barrier before all later operations. */
  join(barrier: Batch): void {
    this.#barrier = barrier;
    this.#unsettled.add(barrier);
    barrier.onSettled(() => {
      this.#settled(barrier);
      if (this.#barrier === barrier) this.#barrier = undefined;
    });
  }

  /** The tick's batch with the key added, if no operation on the key is pending: the usual case. */
  batchOfTick(kind: Kind, key: string): Batch | undefined {
    if (this.#barrier !== undefined) return undefined;
    const last = this.#busy.get(key);
    const open = this.#open[kind];
    if (last !== undefined) return last === open ? open : undefined;
    const batch = open ?? this.#newBatch(kind, NONE, true);
    this.#busy.set(key, batch);
    batch.keys.push(key);
    return batch;
  }

  /** Whether a read of these keys has to wait for an earlier operation. */
  mustWait(keys: readonly string[]): boolean {
    if (this.#barrier !== undefined) return true;
    return keys.some((key) => {
      const last = this.#busy.get(key);
      return last !== undefined && !(last.kind === "read" && last.started);
    });
  }

  /** The batches that have to settle first, and the one that can be joined instead. */
  dependencies(kind: Kind, keys: readonly string[]): Dependencies {
    const after = new Set<Batch>();
    let join: Batch | undefined;
    if (this.#barrier !== undefined) after.add(this.#barrier);
    if (this.#busy.size === 0) return { after, join };
    for (const key of keys) {
      const last = this.#busy.get(key);
      if (last === undefined) continue;
      // A read need not wait for another read, unless that one waits for a write, which this one must see, too.
      if (kind === "read" && last.kind === "read" && last.started) continue;
      if (last.kind === kind && last.shared && !last.started && (join === undefined || join === last)) {
        join = last;
        continue;
      }
      after.add(last);
      for (const prior of last.prior ?? []) after.add(prior);
    }
    return { after, join };
  }

  /** The batch for an operation on these keys. Later operations on them wait for it. */
  batchFor(kind: Kind, keys: readonly string[]): Batch {
    const batch = this.#batchAfter(kind, keys);
    this.#occupy(batch, keys);
    return batch;
  }

  #batchAfter(kind: Kind, keys: readonly string[]): Batch {
    const { after, join } = this.dependencies(kind, keys);
    if (join !== undefined) {
      after.delete(join);
      if (after.size === 0) return join;
      after.add(join);
    }
    if (after.size === 0) return this.#open[kind] ?? this.#newBatch(kind, after, true);
    const [only] = after;
    if (after.size > 1 || only === undefined) return this.#newBatch(kind, after, false);
    only.next ??= { read: undefined, commit: undefined };
    let next = only.next[kind];
    if (next === undefined || next.started || !next.shared || next.owner !== this) {
      next = this.#newBatch(kind, after, false);
      only.next[kind] = next;
    }
    return next;
  }

  #newBatch(kind: Kind, after: ReadonlySet<Batch>, ofTick: boolean): Batch {
    const batch: Batch = new Batch(kind, () => {
      if (this.#open[kind] === batch) this.#open[kind] = undefined;
      return this.#execute(batch);
    });
    batch.owner = this;
    batch.limits = this.#connection.limits;
    batch.waits = !ofTick;
    this.admit(batch, []);
    if (ofTick) {
      this.#open[kind] = batch;
      const start = () => batch.startAfter(after);
      // A driver that answers synchronously would go from tick to tick without a turn of the event loop.
      const turn = this.#connection.pace.breathe();
      if (turn === undefined) endOfTick(start);
      else turn.then(start, start);
    } else batch.startAfter(after);
    return batch;
  }

  /** Enters a batch that no other operation may join. */
  admit(batch: Batch, keys: readonly string[]): void {
    const connection = this.#connection;
    connection.work.begin();
    this.#unsettled.add(batch);
    this.#occupy(batch, keys);
    batch.onTold(() => connection.work.end());
    batch.onSettled(() => this.#settled(batch));
  }

  #settled(batch: Batch): void {
    if (this.#unsettled.size === 1 && this.#unsettled.has(batch)) {
      this.#unsettled = new Set();
      this.#busy = new Map();
      return;
    }
    this.#unsettled.delete(batch);
    for (const key of batch.keys) if (this.#busy.get(key) === batch) this.#busy.delete(key);
  }

  #occupy(batch: Batch, keys: readonly string[]): void {
    for (const key of keys) {
      const last = this.#busy.get(key);
      if (last === batch) continue;
      if (last !== undefined && last.kind === "read" && batch.kind === "read") batch.addPrior(last);
      this.#busy.set(key, batch);
      batch.keys.push(key);
    }
  }
}
