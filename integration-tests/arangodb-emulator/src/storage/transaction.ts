import { ArangoError } from "../errors.ts";
import type { Document } from "../json.ts";
import type { Collection } from "./collection.ts";
import { type CollectionState, uniqueViolation } from "./collection-state.ts";
import { primaryIndex } from "./indexes/index-definition.ts";

/** What a stream transaction has declared. */
export interface Declared {
  readonly write: ReadonlySet<string>;
  readonly exclusive: ReadonlySet<string>;
  readonly read: ReadonlySet<string>;
  /** Whether other collections may be read, too. */
  readonly allowImplicit: boolean;
}

interface View {
  /** What was committed when the transaction began. */
  readonly base: CollectionState;
  /** By the collection's count of removals. */
  readonly since: number;
  /** That, with the transaction's own writes. */
  state: CollectionState;
  readonly writes: Map<string, Document | undefined>;
  readonly locks: Set<string>;
}

/**
 * Reads the state as of its beginning, plus its own writes. A write locks its key until the end; where another transaction
 * holds the lock, or has committed a change of the key since this one began, it fails with 1200: the first writer wins.
 */
export class Transaction {
  readonly declared: Declared | undefined;
  /** Whether something was written that is to be on disk when the commit is answered. */
  waitsForDisk = false;
  readonly #views = new Map<Collection, View>();

  /** The snapshot is taken here, of all the collections at once. */
  constructor(collections: Iterable<Collection>, declared?: Declared) {
    this.declared = declared;
    for (const collection of collections) {
      this.#views.set(collection, viewOf(collection));
    }
  }

  /** What the transaction sees of a collection. */
  stateOf(collection: Collection): CollectionState {
    this.#checkReadable(collection);
    return this.#viewOf(collection).state;
  }

  /**
   * What a query that begins now reads: earlier writes of the transaction, but none of its own. Only lookups of UPSERT see
   * those.
   */
  stateAtQueryStart(): (collection: Collection) => CollectionState {
    const written = new Map<Collection, CollectionState>();
    for (const [collection, { state, writes }] of this.#views) {
      if (writes.size > 0) written.set(collection, state);
    }
    return (collection) => {
      this.#checkReadable(collection);
      return written.get(collection) ?? this.#viewOf(collection).base;
    };
  }

  /** Whether the collection may be written. @throws ArangoError 1652 */
  checkWritable(collection: Collection): void {
    const { declared } = this;
    if (declared === undefined) return;
    if (!declared.write.has(collection.name) && !declared.exclusive.has(collection.name)) {
      throw unregistered(collection.name);
    }
  }

  /**
   * Locks a key for a write.
   * @throws ArangoError 1200, and 1210 where `isInsert` and the key has come into being since the snapshot
   */
  lock(collection: Collection, key: string, isInsert: boolean): void {
    const view = this.#viewOf(collection);
    collection.keys.lock(key, this);
    view.locks.add(key);
    if (view.writes.has(key)) return;
    const committed = collection.state.get(key);
    if (committed === view.base.get(key) && !collection.removals.hasSince(key, view.since)) return;
    if (isInsert && committed !== undefined) throw uniqueViolation(primaryIndex, key);
    throw new ArangoError("conflict", "write-write conflict");
  }

  /** Writes a document, or its absence, under a key that is locked. @throws ArangoError 1210, 1200 */
  put(collection: Collection, key: string, document: Document | undefined): void {
    const view = this.#viewOf(collection);
    this.#lockUniqueValues(collection, view, view.state.get(key));
    if (document !== undefined) {
      view.state.checkUnique(document);
      if (collection.state !== view.base) collection.state.checkUnique(document, view.writes);
      this.#lockUniqueValues(collection, view, document);
    }
    view.state = view.state.with(key, document);
    view.writes.set(key, document);
  }

  commit(): void {
    for (const [collection, view] of this.#views) {
      if (view.writes.size === 0) continue;
      for (const [key, document] of view.writes) if (document === undefined) collection.removals.note(key);
      if (collection.state === view.base) collection.state = view.state;
      else for (const [key, document] of view.writes) collection.state = collection.state.with(key, document);
    }
    this.release();
  }

  /** Gives up the locks; what was not committed is gone. */
  release(): void {
    for (const [collection, { locks }] of this.#views) {
      collection.keys.release(locks, this);
      collection.access.release(this);
    }
  }

  #checkReadable({ name }: Collection): void {
    const { declared } = this;
    if (declared && !declared.allowImplicit && !isDeclared(declared, name)) throw unregistered(name);
  }

  #viewOf(collection: Collection): View {
    let view = this.#views.get(collection);
    if (view === undefined) {
      // Made after the transaction began: there is nothing in it that a snapshot could hide.
      view = viewOf(collection);
      this.#views.set(collection, view);
    }
    return view;
  }

  #lockUniqueValues(collection: Collection, view: View, document: Document | undefined): void {
    if (document === undefined) return;
    for (const index of view.state.indexes) {
      if (!index.definition.unique) continue;
      const entry = index.entryOf(document);
      if (entry === undefined) continue;
      const name = `${index.definition.id}\n${JSON.stringify(entry.values)}`;
      collection.keys.lock(name, this);
      view.locks.add(name);
    }
  }
}

function viewOf({ state, removals }: Collection): View {
  return { base: state, since: removals.now, state, writes: new Map(), locks: new Set() };
}

function isDeclared({ read, write, exclusive }: Declared, name: string): boolean {
  return read.has(name) || write.has(name) || exclusive.has(name);
}

function unregistered(name: string): ArangoError {
  return new ArangoError("unregisteredCollection", `unregistered collection used in transaction: ${name}`);
}
