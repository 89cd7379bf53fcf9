import { ArangoError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import type { ServerState } from "../../server/server-state.ts";
import type { Collection } from "../../storage/collection.ts";
import { CollectionState } from "../../storage/collection-state.ts";
import type { Transaction } from "../../storage/transaction.ts";
import { type Answer, success } from "../answer.ts";
import {
  type ApiRequest,
  bodyOf,
  checkDataWrite,
  checkManagement,
  flagOf,
  headerOf,
  objectBodyOf,
} from "../api-request.ts";

const lockTimeout = 900_000;

/** `/_api/collection` */
export function collections(request: ApiRequest, state: ServerState): Answer | Promise<Answer> {
  const { method, path, database } = request;
  const [, , name, what] = path;
  if (name === undefined) {
    if (method === "POST") {
      checkManagement(request);
      return success(200, database.createCollection(bodyOf(request)).describeProperties());
    }
    if (method !== "GET") throw new ArangoError("methodNotAllowed");
    const shown = database.collections.filter(
      ({ isSystem }) => !isSystem || !flagOf(request, "excludeSystem", false),
    );
    return success(200, { result: shown.map((collection) => collection.describe()) });
  }
  const collection = database.collection(name);
  switch (method) {
    case "GET":
      return read(request, state, collection, what);
    case "PUT":
      return change(request, state, collection, what);
    case "DELETE":
      checkManagement(request);
      database.dropCollection(collection);
      return success(200, { id: collection.id });
    default:
      throw new ArangoError("methodNotAllowed");
  }
}

async function read(
  request: ApiRequest,
  state: ServerState,
  collection: Collection,
  what: string | undefined,
): Promise<Answer> {
  switch (what) {
    case undefined:
      return success(200, collection.describe());
    case "properties":
      return success(200, collection.describeProperties());
    case "count": {
      const id = headerOf(request, "x-arango-trx-id");
      const count =
        id === undefined
          ? collection.state.size
          : await state.transactions.use(id, request.database.name, (trx) => trx.stateOf(collection).size);
      return success(200, { ...collection.describeProperties(), count });
    }
    case "figures":
      return success(200, { ...collection.describeProperties(), ...figuresOf(collection) });
    case "revision":
      return success(200, { ...collection.describeProperties(), revision: "0" });
    default:
      throw new ArangoError(
        "unknownPath",
        `expecting GET /_api/collection/<collection-name>/<method>: ${what}`,
      );
  }
}

function figuresOf(collection: Collection): JsonObject {
  const indexes = collection.describeIndexes();
  return { count: collection.state.size, figures: { indexes: { count: indexes.length, size: 0 } } };
}

async function change(
  request: ApiRequest,
  state: ServerState,
  collection: Collection,
  what: string | undefined,
): Promise<Answer> {
  switch (what) {
    case "truncate":
      checkDataWrite(request);
      await truncate(request, state, collection);
      return success(200, collection.describe());
    case "properties":
      checkManagement(request);
      collection.change(objectBodyOf(request));
      return success(200, collection.describeProperties());
    case "rename":
      checkManagement(request);
      request.database.renameCollection(collection, objectBodyOf(request));
      return success(200, collection.describe());
    case "recalculateCount":
      return success(200, { result: true, count: collection.state.size });
    case "loadIndexesIntoMemory":
    case "compact":
      return success(200, { result: true });
    default:
      throw new ArangoError(
        "unknownPath",
        `expecting PUT /_api/collection/<collection-name>/<method>: ${what}`,
      );
  }
}

/** Outside a transaction it takes the collection for itself, and no document is looked at. */
async function truncate(request: ApiRequest, state: ServerState, collection: Collection): Promise<void> {
  const id = headerOf(request, "x-arango-trx-id");
  if (id !== undefined) {
    await state.transactions.use(id, request.database.name, (transaction) =>
      removeAll(transaction, collection),
    );
    return;
  }
  const owner = {};
  await collection.access.acquire(owner, true, lockTimeout);
  try {
    collection.state = CollectionState.empty(collection.state.indexes.map((index) => index.emptied()));
  } finally {
    collection.access.release(owner);
  }
}

function removeAll(transaction: Transaction, collection: Collection): void {
  transaction.checkWritable(collection);
  for (const [key] of transaction.stateOf(collection).documents.from()) {
    transaction.lock(collection, key, false);
    transaction.put(collection, key, undefined);
  }
}
