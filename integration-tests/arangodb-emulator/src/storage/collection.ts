import { ArangoError } from "../errors.ts";
import { attributeOf, isObject, type Json, type JsonObject } from "../json.ts";
import { AccessLock } from "./access-lock.ts";
import { CollectionState } from "./collection-state.ts";
import { IndexData } from "./indexes/index-data.ts";
import {
  describeIndex,
  edgeIndex,
  type IndexDefinition,
  isSameIndex,
  primaryIndex,
} from "./indexes/index-definition.ts";
import { byteOrder, type ValueOrder } from "./indexes/value-order.ts";
import { KeyLocks } from "./key-locks.ts";
import { Removals } from "./removals.ts";

const documentType = 2;
const edgeType = 3;

export interface CollectionOptions {
  readonly id: string;
  readonly name: string;
  readonly isEdge: boolean;
  readonly properties: JsonObject;
}

/** A collection: its committed state, and the locks of those who are writing to it. */
export class Collection {
  readonly id: string;
  name: string;
  readonly isEdge: boolean;
  readonly access: AccessLock = new AccessLock();
  readonly keys: KeyLocks = new KeyLocks();
  /** What a transaction that begins now sees. */
  state: CollectionState;
  isDropped = false;
  /** When keys last vanished: a key that came and went since a snapshot was changed, though it looks the same. */
  readonly removals: Removals = new Removals();
  #properties: JsonObject;
  readonly #order: ValueOrder;

  constructor(options: CollectionOptions, order: ValueOrder) {
    this.id = options.id;
    this.name = options.name;
    this.isEdge = options.isEdge;
    this.#properties = options.properties;
    this.#order = order;
    this.state = CollectionState.empty(options.isEdge ? edgeIndexes() : []);
  }

  get isSystem(): boolean {
    return this.name.startsWith("_");
  }

  get waitForSync(): boolean {
    return attributeOf(this.#properties, "waitForSync") === true;
  }

  get allowsUserKeys(): boolean {
    return attributeOf(attributeOf(this.#properties, "keyOptions"), "allowUserKeys") !== false;
  }

  change(properties: JsonObject): void {
    this.#properties = { ...this.#properties, ...properties };
  }

  /** What `GET /_api/collection/{c}` shows. */
  describe(): JsonObject {
    return {
      id: this.id,
      name: this.name,
      status: 3,
      type: this.isEdge ? edgeType : documentType,
      isSystem: this.isSystem,
      globallyUniqueId: `h${this.id}/${this.id}`,
    };
  }

  describeProperties(): JsonObject {
    const keyOptions = attributeOf(this.#properties, "keyOptions");
    return {
      ...this.describe(),
      statusString: "loaded",
      cacheEnabled: attributeOf(this.#properties, "cacheEnabled") === true,
      waitForSync: this.waitForSync,
      writeConcern: 1,
      computedValues: null,
      schema: null,
      syncByRevision: true,
      usesRevisionsAsDocumentIds: true,
      keyOptions: {
        allowUserKeys: this.allowsUserKeys,
        type: "traditional",
        lastValue: 0,
        ...(isObject(keyOptions) ? keyOptions : {}),
      },
    };
  }

  describeIndexes(): Json[] {
    const fixed = this.isEdge ? [primaryIndex, edgeIndex] : [primaryIndex];
    return [...fixed, ...this.ownIndexes()].map((index) => describeIndex(this.name, index));
  }

  ownIndexes(): IndexDefinition[] {
    return this.state.indexes.map(({ definition }) => definition).filter(({ type }) => type !== "edge");
  }

  /** Makes the index, or finds the one that does the same. @throws ArangoError 1207, 1210, 10 */
  ensureIndex(wanted: IndexDefinition): { readonly index: IndexDefinition; readonly isNew: boolean } {
    const own = this.ownIndexes();
    const same = own.find((index) => isSameIndex(index, wanted));
    if (same !== undefined) return { index: same, isNew: false };
    if (own.some(({ name }) => name === wanted.name) || wanted.name === "primary" || wanted.name === "edge") {
      throw new ArangoError("duplicateName", `duplicate value for index name: ${wanted.name}`);
    }
    if (wanted.type === "ttl" && own.some(({ type }) => type === "ttl")) {
      throw new ArangoError("badParameter", "there can only be one ttl index per collection");
    }
    this.state = this.state.withIndex(IndexData.empty(wanted, this.#order));
    return { index: wanted, isNew: true };
  }

  /** @throws ArangoError 1212, and 11 for the indexes that every collection has */
  dropIndex(id: string): void {
    if (id === primaryIndex.id || (this.isEdge && id === edgeIndex.id)) throw new ArangoError("forbidden");
    if (!this.ownIndexes().some((index) => index.id === id)) throw new ArangoError("indexNotFound");
    this.state = this.state.withoutIndex(id);
  }
}

/** The two directions of the edge index, by bytes: `_from` and `_to` are only ever looked up for equality. */
function edgeIndexes(): IndexData[] {
  return ["_from", "_to"].map((field) =>
    IndexData.empty({ ...edgeIndex, name: `edge${field}`, fields: [field] }, byteOrder),
  );
}
