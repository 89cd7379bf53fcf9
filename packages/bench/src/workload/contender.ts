/** A stored value: a JSON object, or bytes in the cells of 10 MB. */
export type Value = { readonly [field: string]: unknown } | Uint8Array;

export type Pair = readonly [key: string, value: Value];

/**
 * An opened store. The result of a method is awaited. Values are passed and returned as objects: a contender over a driver
 * that stores only text does the JSON itself. A missing member is a dash in the table.
 */
export interface Subject {
  get(key: string): unknown;
  set(key: string, value: Value): unknown;
  setExpiring?(key: string, value: Value, ttlMs: number): unknown;
  /** Returns the values, in the order of the keys. */
  getMany(keys: readonly string[]): unknown;
  setMany(pairs: readonly Pair[]): unknown;
  /** Returns the entries under the prefix, as pairs in key order. */
  scan?(prefix: string): unknown;
  close(): unknown;
}

export interface Contender {
  /** As it appears in tables. */
  readonly name: string;
  /** `bound`: not a store and not a peer, but an upper bound. */
  readonly role: "ours" | "bare" | "peer" | "bound";
  /** Whether it returns the stored value without a copy: no isolation, and no cost, however large the value is. */
  readonly byReference?: true;
  /** The npm packages whose versions the results name. */
  readonly packages: readonly string[];
  /** How it differs from the others, if that matters for the comparison. */
  readonly note?: string;
  /** Imports the driver and opens an empty store; files go into the folder, under a name of the contender's own. */
  open(folder: string): Promise<Subject>;
}
