/** The encodings of keys and values in a call, whichever a database handed in was opened with. */
export interface LevelEncodings {
  readonly keyEncoding: "utf8";
  readonly valueEncoding: "utf8" | "view";
  readonly snapshot?: LevelSnapshot;
}

/** The state at one moment. */
export interface LevelSnapshot {
  close(): Promise<void>;
}

export interface LevelIteratorOptions<K> extends LevelEncodings {
  readonly gte: K;
  readonly lt: K;
  readonly reverse: boolean;
  readonly values: boolean;
}

export interface LevelIterator<K, V> {
  nextv(size: number): Promise<[key: K, value: V][]>;
  seek(target: K): void;
  close(): Promise<void>;
}

export interface LevelBatch {
  put<K, V>(key: K, value: V, options: LevelEncodings): unknown;
  del<K>(key: K, options: LevelEncodings): unknown;
  write(options: object): Promise<void>;
}

/**
 * A database of `classic-level` or `level`, or a sublevel of one. Declares only what is called here, so that any encodings
 * and any copy of its types fit.
 */
export interface LevelDatabase {
  readonly status: "opening" | "open" | "closing" | "closed";
  readonly supports: object;
  open(): Promise<void>;
  prefixKey(key: string, format: "utf8", local?: boolean): string;
  getSync<K, V>(key: K, options: LevelEncodings): V | undefined;
  put<K, V>(key: K, value: V, options: LevelEncodings): Promise<void>;
  batch(): LevelBatch;
  iterator<K, V>(options: LevelIteratorOptions<K>): LevelIterator<K, V>;
  snapshot(): LevelSnapshot;
}
