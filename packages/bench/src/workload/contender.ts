/** What is stored: a JSON object; in the cells of 10 MB bytes. */
export type Value = { readonly [field: string]: unknown } | Uint8Array;

export type Pair = readonly [key: string, value: Value];

/**
 * An opened store. Whatever a method returns is awaited. Values go in and come out as objects: a contender over a driver
 * that knows only text does the JSON itself. A member that is missing is a dash in the table.
 */
export interface Subject {
  get(key: string): unknown;
  set(key: string, value: Value): unknown;
  setExpiring?(key: string, value: Value, ttlMs: number): unknown;
  /** → the values, aligned with the keys. */
  getMany(keys: readonly string[]): unknown;
  setMany(pairs: readonly Pair[]): unknown;
  /** → what lies under the prefix, as pairs in key order. */
  scan?(prefix: string): unknown;
  close(): unknown;
}

export interface Contender {
  /** As it appears in tables. */
  readonly name: string;
  /** `bound`: no store at all, shown as what cannot be exceeded, and no peer. */
  readonly role: "ours" | "bare" | "peer" | "bound";
  /** Whether it hands out what it stores, without a copy: no isolation, and nothing to pay however large the value is. */
  readonly byReference?: true;
  /** The npm packages whose versions the results name. */
  readonly packages: readonly string[];
  /** What it does otherwise than the others, where that matters for the comparison. */
  readonly note?: string;
  /** Imports the driver and opens an empty store; files go into the folder, under a name of the contender's own. */
  open(folder: string): Promise<Subject>;
}
