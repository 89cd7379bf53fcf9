import { ArangoError } from "../errors.ts";
import { attributeOf, isObject, type Json, type JsonObject } from "../json.ts";
import { Collection } from "./collection.ts";
import type { ValueOrder } from "./indexes/value-order.ts";
import { checkCollectionName } from "./names.ts";

/** A database: its collections by name. */
export class Database {
  readonly id: string;
  readonly name: string;
  readonly #collections = new Map<string, Collection>();
  readonly #order: ValueOrder;
  readonly #newId: () => string;

  constructor(name: string, order: ValueOrder, newId: () => string) {
    this.id = newId();
    this.name = name;
    this.#order = order;
    this.#newId = newId;
  }

  get isSystem(): boolean {
    return this.name === "_system";
  }

  /** In no order: for a snapshot of all of them. */
  get everyCollection(): Iterable<Collection> {
    return this.#collections.values();
  }

  get collections(): Collection[] {
    return [...this.#collections.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** By name or by id. */
  find(name: string): Collection | undefined {
    const found = this.#collections.get(name);
    if (found !== undefined || !/^\d+$/.test(name)) return found;
    return this.collections.find(({ id }) => id === name);
  }

  /** @throws ArangoError 1203 */
  collection(name: string): Collection {
    const found = this.find(name);
    if (found === undefined) {
      throw new ArangoError("collectionNotFound", `collection or view not found: ${name}`);
    }
    return found;
  }

  /** From the body of `POST /_api/collection`. @throws ArangoError 1207, 1208, 10 */
  createCollection(body: Json): Collection {
    if (!isObject(body)) throw new ArangoError("badParameter", "expecting a JSON object");
    const name = checkCollectionName(attributeOf(body, "name"), attributeOf(body, "isSystem") === true);
    if (this.#collections.has(name)) {
      throw new ArangoError("duplicateName", `duplicate name: cannot create collection '${name}'`);
    }
    const type = attributeOf(body, "type") ?? 2;
    if (type !== 2 && type !== 3) throw new ArangoError("collectionTypeInvalid");
    checkKeyOptions(attributeOf(body, "keyOptions"));
    const { name: _name, type: _type, ...properties } = body;
    const collection = new Collection(
      { id: this.#newId(), name, isEdge: type === 3, properties },
      this.#order,
    );
    this.#collections.set(name, collection);
    return collection;
  }

  dropCollection(collection: Collection): void {
    collection.isDropped = true;
    this.#collections.delete(collection.name);
  }

  /** @throws ArangoError 1207, 1208 */
  renameCollection(collection: Collection, body: JsonObject): void {
    const name = checkCollectionName(attributeOf(body, "name"), false);
    if (this.#collections.has(name)) throw new ArangoError("duplicateName");
    this.#collections.delete(collection.name);
    collection.name = name;
    this.#collections.set(name, collection);
  }
}

function checkKeyOptions(keyOptions: Json): void {
  const type = attributeOf(keyOptions, "type") ?? "traditional";
  if (type !== "traditional") {
    throw new ArangoError(
      "invalidKeyGenerator",
      `key generator ${JSON.stringify(type)} is not covered by this emulator`,
    );
  }
}
