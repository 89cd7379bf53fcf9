import { attributeOf, type Document, type Json } from "../../json.ts";
import type { IndexDefinition } from "./index-definition.ts";
import { type Locate, SortedTree } from "./sorted-tree.ts";
import { compareBytes, type ValueOrder } from "./value-order.ts";

export interface IndexKey {
  readonly values: readonly Json[];
  readonly key: string;
}

/** One end of a range: the values of the leading fields, and on which side of the entries that have them it lies. */
export interface Bound {
  readonly values: readonly Json[];
  /** True: after every entry with these values. False: before the first. */
  readonly after: boolean;
}

/** The entries of one index, in its order. It never changes: writes give another one. */
export class IndexData {
  readonly definition: IndexDefinition;
  readonly paths: readonly (readonly string[])[];
  readonly #order: ValueOrder;
  readonly #tree: SortedTree<IndexKey, Document>;

  private constructor(definition: IndexDefinition, order: ValueOrder, tree: SortedTree<IndexKey, Document>) {
    this.definition = definition;
    this.paths = definition.fields.map((field) => field.split("."));
    this.#order = order;
    this.#tree = tree;
  }

  static empty(definition: IndexDefinition, order: ValueOrder): IndexData {
    const compare = (left: IndexKey, right: IndexKey): number =>
      compareValues(order, left.values, right.values) || compareBytes(left.key, right.key);
    return new IndexData(definition, order, SortedTree.empty(compare));
  }

  get size(): number {
    return this.#tree.size;
  }

  emptied(): IndexData {
    return IndexData.empty(this.definition, this.#order);
  }

  /** The document's entry; undefined where a sparse index leaves it out. */
  entryOf(document: Document): IndexKey | undefined {
    const key = document["_key"] as string;
    if (this.definition.type === "ttl") {
      const seconds = expiryOf(valueAt(document, this.paths[0]!));
      return seconds === undefined
        ? undefined
        : { values: [seconds + (this.definition.expireAfter ?? 0)], key };
    }
    const values = this.paths.map((path) => valueAt(document, path));
    return this.definition.sparse && values.includes(null) ? undefined : { values, key };
  }

  with(document: Document): IndexData {
    const entry = this.entryOf(document);
    return entry === undefined ? this : this.#changed(this.#tree.with(entry, document));
  }

  without(document: Document): IndexData {
    const entry = this.entryOf(document);
    return entry === undefined ? this : this.#changed(this.#tree.without(entry));
  }

  /** The key of another document that holds the same values, where the index is unique. */
  conflictOf(document: Document): string | undefined {
    if (!this.definition.unique) return undefined;
    const entry = this.entryOf(document);
    if (entry === undefined) return undefined;
    for (const [found] of this.#tree.from(this.#locate({ values: entry.values, after: false }))) {
      if (compareValues(this.#order, found.values, entry.values) !== 0) return undefined;
      if (found.key !== entry.key) return found.key;
    }
    return undefined;
  }

  /** The documents between two bounds, in the index's order or against it. */
  *range(lower: Bound | undefined, upper: Bound | undefined, reverse: boolean): Generator<Document, void> {
    const low = lower && this.#locate(lower);
    const high = upper && this.#locate(upper);
    if (reverse) {
      for (const [key, document] of this.#tree.before(high)) {
        if (low !== undefined && low(key) < 0) return;
        yield document;
      }
      return;
    }
    for (const [key, document] of this.#tree.from(low)) {
      if (high !== undefined && high(key) >= 0) return;
      yield document;
    }
  }

  /** The different values of the first field, found by seeking from one to the next. */
  *distinctFirst(): Generator<Json, void> {
    let lower: Bound | undefined;
    for (;;) {
      const found = this.#tree.first(lower && this.#locate(lower));
      if (found === undefined) return;
      const value = found[0].values[0] ?? null;
      yield value;
      lower = { values: [value], after: true };
    }
  }

  /** Entries from the smallest on: how the TTL thread finds what has expired. */
  *entries(): Generator<readonly [IndexKey, Document], void> {
    yield* this.#tree.from();
  }

  #locate({ values, after }: Bound): Locate<IndexKey> {
    return (key) => {
      for (let at = 0; at < values.length; at++) {
        const order = this.#order.compare(key.values[at] ?? null, values[at] ?? null);
        if (order !== 0) return order;
      }
      return after ? -1 : 0;
    };
  }

  #changed(tree: SortedTree<IndexKey, Document>): IndexData {
    return tree === this.#tree ? this : new IndexData(this.definition, this.#order, tree);
  }
}

export function valueAt(document: Json, path: readonly string[]): Json {
  let value: Json = document;
  for (const name of path) value = attributeOf(value, name);
  return value;
}

function compareValues(order: ValueOrder, left: readonly Json[], right: readonly Json[]): number {
  for (let at = 0; at < left.length; at++) {
    const result = order.compare(left[at] ?? null, right[at] ?? null);
    if (result !== 0) return result;
  }
  return 0;
}

/** Seconds since 1970 of a TTL index's field: a number of seconds or an ISO date; anything else never expires. */
function expiryOf(value: Json): number | undefined {
  if (typeof value === "number") return value >= 0 ? value : undefined;
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}/.test(value)) return undefined;
  const milliseconds = Date.parse(
    /[Zz]|[+-]\d{2}:\d{2}$/.test(value) || value.length <= 10 ? value : `${value}Z`,
  );
  return Number.isNaN(milliseconds) || milliseconds < 0 ? undefined : milliseconds / 1000;
}
