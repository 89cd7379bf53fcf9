import { randomBytes } from "node:crypto";
import type { Pair, Value } from "./contender.ts";

/** Bytes of its JSON: 104. Parsed from text, as values are that came over a network: strings of their own, and flat. */
export function smallValue(seed: number): Value {
  const id = String(100_000 + (seed % 900_000));
  const text = `{"id":${id},"name":"Ada Lovelace ${id}","email":"a.${id}@example.com","active":true,"tags":["a","b"]}`;
  return JSON.parse(text);
}

/** Bytes of its JSON: about 10,240. A document with a text of 4 KB and 40 records of about 150 B. */
export function largeValue(seed: number): Value {
  const id = String(100_000 + (seed % 900_000));
  const body = `Lorem ipsum ${id} dolor sit amet. `.repeat(120);
  const lines = Array.from({ length: 40 }, (_, line) => ({
    sku: `sku-${id}-${line}`,
    title: "A thing of some length, with a name",
    quantity: line + 1,
    price: 19.5 + line,
    tags: ["new", "blue"],
    note: "leave at the door, please",
  }));
  return JSON.parse(JSON.stringify({ id, body, lines }));
}

/** The keys in an order that is the same in every run and looks like none. */
export function shuffled<Item>(items: readonly Item[]): Item[] {
  const result = [...items];
  let state = 42;
  for (let last = result.length - 1; last > 0; last--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = state % (last + 1);
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}

export function keysOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(6, "0")}`);
}

/** The data of a cell: the i-th operation has the key `keys[i % keys.length]` and the value `values[i % values.length]`. */
export interface Data {
  readonly keys: readonly string[];
  /** Their number is prime, so that a key that comes round again gets another value: the same bytes flatter SQLite. */
  readonly values: readonly Value[];
}

export const SMALL: Data = {
  keys: shuffled(keysOf("user:", 10_000)),
  values: Array.from({ length: 1009 }, (_, seed) => smallValue(seed * 37)),
};

export const LARGE: Data = {
  keys: shuffled(keysOf("page:", 500)),
  values: Array.from({ length: 211 }, (_, seed) => largeValue(seed * 37)),
};

/** Bytes that no compression makes smaller, made when they are first asked for: most runs do without. */
export const HUGE: Data = {
  keys: keysOf("file:", 4),
  get values() {
    hugeValues ??= Array.from({ length: 3 }, () => new Uint8Array(randomBytes(10 * 2 ** 20)));
    return hugeValues;
  },
};
let hugeValues: readonly Uint8Array[] | undefined;

/** Entries a call of getMany and setMany, operations a burst, entries a range. */
export const MANY = 1000;

const ORDERED_ENTRIES = 100_000;

/** Prefixes with 1,000 keys each: `log:042:` has `log:042:000000` to `log:042:000999`. */
export function prefixesOf(entries: number): string[] {
  return Array.from({ length: entries / MANY }, (_, index) => `log:${String(index).padStart(4, "0")}:`);
}

export const ORDERED_PREFIXES: readonly string[] = shuffled(prefixesOf(ORDERED_ENTRIES));

/** In calls of 1,000, in key order. */
export function* batches(keys: Iterable<string>): Generator<Pair[]> {
  let batch: Pair[] = [];
  let index = 0;
  for (const key of keys) {
    batch.push([key, SMALL.values[index++ % SMALL.values.length]!]);
    if (batch.length < MANY) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
