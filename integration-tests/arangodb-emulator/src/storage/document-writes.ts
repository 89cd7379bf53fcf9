import { ArangoError } from "../errors.ts";
import { attributeOf, type Document, isObject, type Json, type JsonObject, objectOf } from "../json.ts";
import { decodeRevision, type HybridClock } from "./clock.ts";
import type { Collection } from "./collection.ts";
import { uniqueViolation } from "./collection-state.ts";
import { primaryIndex } from "./indexes/index-definition.ts";
import { type MergeOptions, merge } from "./merge.ts";
import { checkKey, splitId } from "./names.ts";
import type { Transaction } from "./transaction.ts";

export type OverwriteMode = "conflict" | "ignore" | "replace" | "update";

export interface WriteOptions extends MergeOptions {
  readonly overwriteMode: OverwriteMode;
  /** Whether a `_rev` in what is handed in is a condition. */
  readonly ignoreRevs: boolean;
}

/** What a write did. `new` is absent after a removal, `old` where there was nothing. */
export interface Written {
  readonly old?: Document;
  readonly new?: Document;
  /** False where nothing was written: an `ignore` of what exists, a patch that says nothing. */
  readonly isChanged: boolean;
}

const systemAttributes = new Set(["_key", "_id", "_rev"]);

/** The document operations of the server: the HTTP API and AQL share them. */
export class DocumentWrites {
  readonly #clock: HybridClock;

  constructor(clock: HybridClock) {
    this.#clock = clock;
  }

  insert(transaction: Transaction, collection: Collection, input: Json, options: WriteOptions): Written {
    if (!isObject(input)) throw new ArangoError("documentTypeInvalid");
    const key = this.#keyFor(collection, input);
    if (collection.isEdge) checkEdge(input, true);
    transaction.checkWritable(collection);
    transaction.lock(collection, key, options.overwriteMode === "conflict");
    const old = transaction.stateOf(collection).get(key);
    if (old === undefined) {
      const document = this.#stamped(collection, key, input);
      transaction.put(collection, key, document);
      return { new: document, isChanged: true };
    }
    switch (options.overwriteMode) {
      case "conflict":
        throw uniqueViolation(primaryIndex, key);
      case "ignore":
        return { old, new: old, isChanged: false };
      case "replace":
        return this.replace(transaction, collection, input, options);
      case "update":
        return this.update(transaction, collection, input, options);
    }
  }

  /** `input` names the document by its `_key` and holds the new attributes; `revision` is a condition of its own. */
  replace(
    transaction: Transaction,
    collection: Collection,
    input: JsonObject,
    options: WriteOptions,
  ): Written {
    const { key, old } = this.#lockExisting(transaction, collection, input, options);
    if (collection.isEdge) checkEdge(input, true);
    const document = this.#stamped(collection, key, input);
    transaction.put(collection, key, document);
    return { old, new: document, isChanged: true };
  }

  update(
    transaction: Transaction,
    collection: Collection,
    input: JsonObject,
    options: WriteOptions,
  ): Written {
    const { key, old } = this.#lockExisting(transaction, collection, input, options);
    if (collection.isEdge) checkEdge(input, false);
    const patch = ownAttributes(input);
    if (Object.keys(patch).length === 0) return { old, new: old, isChanged: false };
    const document = this.#stamped(collection, key, merge(ownAttributes(old), patch, options));
    transaction.put(collection, key, document);
    return { old, new: document, isChanged: true };
  }

  remove(
    transaction: Transaction,
    collection: Collection,
    input: JsonObject,
    options: WriteOptions,
  ): Written {
    const { key, old } = this.#lockExisting(transaction, collection, input, options);
    transaction.put(collection, key, undefined);
    return { old, isChanged: true };
  }

  #lockExisting(
    transaction: Transaction,
    collection: Collection,
    input: JsonObject,
    options: WriteOptions,
  ): { readonly key: string; readonly old: Document } {
    const named = attributeOf(input, "_key");
    if (named === null) throw new ArangoError("keyMissing");
    const key = checkKey(named);
    transaction.checkWritable(collection);
    transaction.lock(collection, key, false);
    const old = transaction.stateOf(collection).get(key);
    if (old === undefined) throw new ArangoError("documentNotFound");
    if (!options.ignoreRevs) checkRevision(old, attributeOf(input, "_rev"));
    return { key, old };
  }

  #keyFor(collection: Collection, input: JsonObject): string {
    if (!Object.hasOwn(input, "_key")) return String(this.#clock.next());
    const key = checkKey(attributeOf(input, "_key"));
    if (!collection.allowsUserKeys) throw new ArangoError("keyUnexpected");
    return key;
  }

  #stamped(collection: Collection, key: string, attributes: JsonObject): Document {
    return {
      _key: key,
      _id: `${collection.name}/${key}`,
      _rev: this.#clock.revision(),
      ...ownAttributes(attributes),
    };
  }
}

/** @throws ArangoError 1200 where the revision names another state; one that no server has written is no condition */
function checkRevision(old: Document, revision: Json): void {
  if (typeof revision !== "string" || decodeRevision(revision) === undefined) return;
  if (revision !== old["_rev"]) throw revisionConflict(old);
}

/** A condition that does not hold: 412 for a single document; in bulk and in AQL it is a conflict like any other. */
export function revisionConflict(old: Document): ArangoError {
  return new ArangoError("preconditionFailed", "conflict, _rev values do not match", identityOf(old));
}

/** `_id`, `_key` and `_rev`, as every answer about a document holds them. */
export function identityOf(document: Document): JsonObject {
  return {
    _id: attributeOf(document, "_id"),
    _key: attributeOf(document, "_key"),
    _rev: attributeOf(document, "_rev"),
  };
}

function ownAttributes(input: JsonObject): JsonObject {
  return objectOf(Object.entries(input).filter(([name]) => !systemAttributes.has(name)));
}

/** @throws ArangoError 1233 */
function checkEdge(input: JsonObject, isRequired: boolean): void {
  for (const name of ["_from", "_to"]) {
    if (!isRequired && !Object.hasOwn(input, name)) continue;
    const end = attributeOf(input, name);
    if (typeof end !== "string" || splitId(end) === undefined) throw new ArangoError("invalidEdge");
  }
}
