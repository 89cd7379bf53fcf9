import { ArangoError } from "../errors.ts";
import type { Document } from "../json.ts";
import type { IndexData } from "./indexes/index-data.ts";
import type { IndexDefinition } from "./indexes/index-definition.ts";
import { SortedTree } from "./indexes/sorted-tree.ts";
import { compareBytes } from "./indexes/value-order.ts";

/** The documents and indexes of a collection at one moment. It never changes: a snapshot is a reference to it. */
export class CollectionState {
  /** By `_key`, in the order of its bytes: the primary index is the one that knows no collation. */
  readonly documents: SortedTree<string, Document>;
  readonly indexes: readonly IndexData[];

  constructor(documents: SortedTree<string, Document>, indexes: readonly IndexData[]) {
    this.documents = documents;
    this.indexes = indexes;
  }

  static empty(indexes: readonly IndexData[]): CollectionState {
    return new CollectionState(SortedTree.empty<string, Document>(compareBytes), indexes);
  }

  get size(): number {
    return this.documents.size;
  }

  get(key: string): Document | undefined {
    return this.documents.get(key);
  }

  /** With the document in place of what its key held; with `undefined`, without it. */
  with(key: string, document: Document | undefined): CollectionState {
    const old = this.documents.get(key);
    if (old === undefined && document === undefined) return this;
    const documents =
      document === undefined ? this.documents.without(key) : this.documents.with(key, document);
    const indexes = this.indexes.map((index) => {
      const without = old === undefined ? index : index.without(old);
      return document === undefined ? without : without.with(document);
    });
    return new CollectionState(documents, indexes);
  }

  /** @throws ArangoError 1210 where the document would break a unique index; keys in `own` can't be in its way */
  checkUnique(document: Document, own?: ReadonlyMap<string, unknown>): void {
    for (const index of this.indexes) {
      const key = index.conflictOf(document);
      if (key !== undefined && own?.has(key) !== true) throw uniqueViolation(index.definition, key);
    }
  }

  /** Fills a new index with every document. @throws ArangoError 1210 */
  withIndex(empty: IndexData): CollectionState {
    let index = empty;
    for (const [, document] of this.documents.from()) {
      const key = index.conflictOf(document);
      if (key !== undefined) throw uniqueViolation(index.definition, key);
      index = index.with(document);
    }
    return new CollectionState(this.documents, [...this.indexes, index]);
  }

  withoutIndex(id: string): CollectionState {
    return new CollectionState(
      this.documents,
      this.indexes.filter(({ definition }) => definition.id !== id),
    );
  }
}

export function uniqueViolation(
  index: Pick<IndexDefinition, "name" | "type" | "fields">,
  key: string,
): ArangoError {
  const over = index.fields.join(", ");
  return new ArangoError(
    "uniqueConstraint",
    `unique constraint violated - in index ${index.name} of type ${index.type} over '${over}'; conflicting key: ${key}`,
  );
}
