import { CorruptEntry } from "@kv/core";
import type { LevelDatabase, LevelEncodings, LevelIterator, LevelSnapshot } from "../level-database.ts";
import { decodeEntry, holdsBytes, type LeveldbEntry, type StoredValue } from "../stored/entry.ts";
import type { StoredBounds } from "../stored/layout.ts";

/** Whichever encodings a database handed in was opened with, we write and read text, and bytes if an entry says so. */
const TEXT: LevelEncodings = { keyEncoding: "utf8", valueEncoding: "utf8" };
const VIEW: LevelEncodings = { keyEncoding: "utf8", valueEncoding: "view" };
/** Bytes that the driver reads ahead. Its default of 16 KiB would mean a change of threads for every hundred small entries. */
const READING_AHEAD: object = { highWaterMarkBytes: 2 ** 20 };

/** What a batch writes. */
export interface Writes {
  readonly puts: readonly { readonly key: string; readonly value: StoredValue }[];
  readonly deletions: readonly string[];
}

export interface IterateOptions {
  readonly reverse?: boolean;
  /** If false, each value is `undefined`. */
  readonly values: boolean;
}

/** The driver's calls as this adapter makes them. */
export class Driver {
  readonly db: LevelDatabase;
  /** The option `sync`, which this driver has and the common types lack. */
  readonly #how: object;
  readonly #textHow: LevelEncodings;
  readonly #viewHow: LevelEncodings;
  readonly #snapshots = new Set<Snapshot>();
  /** Whether the last value read was bytes: then the next one is first read as bytes, too. */
  #bytesLately = false;
  /** Whether a batch is being written by another thread. */
  isWriting = false;

  constructor(db: LevelDatabase, sync: boolean) {
    this.db = db;
    this.#how = { sync };
    this.#textHow = { ...TEXT, ...this.#how };
    this.#viewHow = { ...VIEW, ...this.#how };
  }

  /** Reads on this thread: that takes a fraction of the time that a change of threads takes. */
  get(storedKey: string): StoredValue | undefined {
    if (!this.#bytesLately) {
      const text = this.db.getSync<string, string>(storedKey, TEXT);
      if (text === undefined || !holdsBytes(text)) return text;
    }
    const value = this.db.getSync<string, Uint8Array>(storedKey, VIEW);
    this.#bytesLately = value !== undefined && holdsBytes(value);
    return value;
  }

  entry(key: string, storedKey: string): LeveldbEntry | CorruptEntry | undefined {
    const value = this.get(storedKey);
    return value === undefined ? undefined : decodeEntry(key, storedKey, value);
  }

  /** A stored text that is not an entry. */
  getText(storedKey: string): string | undefined {
    return this.db.getSync<string, string>(storedKey, TEXT);
  }

  /** All or nothing. One write at a time. */
  write(writes: Writes): Promise<void> {
    this.isWriting = true;
    return this.#write(writes).then(this.#written, (error: unknown) => {
      this.isWriting = false;
      throw error;
    });
  }

  readonly #written = (): void => {
    this.isWriting = false;
  };

  #write({ puts, deletions }: Writes): Promise<void> {
    const [put] = puts;
    if (put !== undefined && puts.length === 1 && deletions.length === 0) {
      const { key, value } = put;
      return this.db.put(key, value, typeof value === "string" ? this.#textHow : this.#viewHow);
    }
    // A batch built call by call is cheaper than an array, whose elements the driver clones.
    const batch = this.db.batch();
    for (const { key, value } of puts) batch.put(key, value, typeof value === "string" ? TEXT : VIEW);
    for (const key of deletions) batch.del(key, TEXT);
    return batch.write(this.#how);
  }

  /** The present state, kept until it is closed. */
  snapshot(): Snapshot {
    const snapshot = new Snapshot(this.db, () => this.#snapshots.delete(snapshot));
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  /** Ends all reads under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#snapshots].map((snapshot) => snapshot.close()));
  }
}

/** The database as it was at one moment. */
export class Snapshot {
  readonly #db: LevelDatabase;
  readonly #snapshot: LevelSnapshot;
  readonly #closed: () => void;
  readonly #iterators = new Set<{ close(): Promise<void> }>();

  constructor(db: LevelDatabase, closed: () => void) {
    this.#db = db;
    this.#snapshot = db.snapshot();
    this.#closed = closed;
  }

  /** Iterates over a range in pages; the caller may seek in it. */
  iterate(bounds: StoredBounds, { reverse = false, values }: IterateOptions): LevelIterator<string, string> {
    const options = {
      ...TEXT,
      ...bounds,
      reverse,
      values,
      snapshot: this.#snapshot,
    };
    const iterator = this.#db.iterator<string, string>({ ...options, ...READING_AHEAD });
    this.#iterators.add(iterator);
    return iterator;
  }

  /** As `iterate`, with every value as bytes, text or not. */
  iterateBytes(bounds: StoredBounds): LevelIterator<string, Uint8Array> {
    const options = { ...VIEW, ...bounds, reverse: false, values: true, snapshot: this.#snapshot };
    const iterator = this.#db.iterator<string, Uint8Array>({ ...options, ...READING_AHEAD });
    this.#iterators.add(iterator);
    return iterator;
  }

  /** An entry whose value was found by an iterator. */
  found(key: string, storedKey: string, text: string): LeveldbEntry | CorruptEntry {
    if (!holdsBytes(text)) return decodeEntry(key, storedKey, text);
    return this.entry(key, storedKey) ?? new CorruptEntry(key);
  }

  entry(key: string, storedKey: string): LeveldbEntry | CorruptEntry | undefined {
    const value = this.#db.getSync<string, Uint8Array>(storedKey, { ...VIEW, snapshot: this.#snapshot });
    return value === undefined ? undefined : decodeEntry(key, storedKey, value);
  }

  async close(): Promise<void> {
    this.#closed();
    await Promise.all([...this.#iterators].map((iterator) => iterator.close()));
    await this.#snapshot.close();
  }
}
