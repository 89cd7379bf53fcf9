import { setImmediate as turn } from "node:timers/promises";
import { ArangoError } from "../../errors.ts";
import { attributeOf, isArray, isObject, type Json, type JsonObject } from "../../json.ts";
import type { ServerState } from "../../server/server-state.ts";
import { decodeRevision } from "../../storage/clock.ts";
import type { Collection } from "../../storage/collection.ts";
import { revisionConflict } from "../../storage/document-writes.ts";
import { splitId } from "../../storage/names.ts";
import { Transaction } from "../../storage/transaction.ts";
import type { Answer } from "../answer.ts";
import { type ApiRequest, flagOf, headerOf } from "../api-request.ts";
import { type DocumentParameters, documentParameters } from "../document-parameters.ts";
import { describeWritten, inTransaction, writeDocument } from "./documents.ts";

const lockTimeout = 900_000;

/** Writes an array of documents. What fails is an error in its place; the rest is committed. */
export async function bulkWrite(
  request: ApiRequest,
  state: ServerState,
  collection: Collection,
  items: readonly Json[],
): Promise<Answer> {
  const options = documentParameters(request);
  const writeAll = (transaction: Transaction): Json[] =>
    items.map((item) => attempt(() => write(state, transaction, collection, request.method, item, options)));
  const id = headerOf(request, "x-arango-trx-id");
  const results =
    id === undefined
      ? await alone(collection, writeAll)
      : await state.transactions.use(id, request.database.name, writeAll);
  const errors = results.filter((result) => attributeOf(result, "error") === true);
  const isSynced = options.waitForSync || collection.waitForSync;
  const isRemoval = request.method === "DELETE";
  return {
    status: isRemoval ? (isSynced ? 200 : 202) : isSynced ? 201 : 202,
    body: options.silent ? errors : results,
    headers: errors.length === 0 ? {} : { "x-arango-error-codes": JSON.stringify(countByNumber(errors)) },
  };
}

async function alone(
  collection: Collection,
  writeAll: (transaction: Transaction) => Json[],
): Promise<Json[]> {
  const owner = {};
  await collection.access.acquire(owner, false, lockTimeout);
  try {
    const transaction = new Transaction([collection]);
    try {
      // Others have their turn before and after the writes: unlike a single write, this one runs into conflicts.
      await turn();
      const results = writeAll(transaction);
      await turn();
      transaction.commit();
      return results;
    } finally {
      transaction.release();
    }
  } finally {
    collection.access.release(owner);
  }
}

function write(
  state: ServerState,
  transaction: Transaction,
  collection: Collection,
  method: string,
  item: Json,
  options: DocumentParameters,
): Json {
  // A removal takes keys, too, and ids.
  const input = method === "DELETE" && typeof item === "string" ? { _key: keyOf(item, collection) } : item;
  if (!isObject(input)) throw new ArangoError("documentTypeInvalid");
  const written = writeDocument(state, transaction, collection, method, input, options);
  return describeWritten(written, options);
}

/** `PUT …?onlyget=true`: reads documents that are named by their keys, or by objects with a `_key`. */
export async function bulkRead(
  request: ApiRequest,
  state: ServerState,
  collection: Collection,
  items: Json,
): Promise<Answer> {
  if (!isArray(items)) throw new ArangoError("badParameter", "expecting an array in the body");
  const ignoreRevs = flagOf(request, "ignoreRevs", true);
  const found = await inTransaction(request, state, (transaction) => {
    const documents = transaction === undefined ? collection.state : transaction.stateOf(collection);
    return items.map((item) =>
      attempt(() => {
        const named = typeof item === "string" ? keyOf(item, collection) : attributeOf(item, "_key");
        if (typeof named !== "string") throw new ArangoError("keyBad");
        const document = documents.get(named);
        if (document === undefined) throw new ArangoError("documentNotFound");
        const revision = attributeOf(item, "_rev");
        const isChecked =
          !ignoreRevs && typeof revision === "string" && decodeRevision(revision) !== undefined;
        if (isChecked && revision !== document["_rev"]) throw revisionConflict(document);
        return document;
      }),
    );
  });
  return { status: 200, body: found };
}

function keyOf(name: string, collection: Collection): string {
  const parts = splitId(name);
  return parts?.collection === collection.name ? parts.key : name;
}

function attempt(run: () => Json): Json {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ArangoError)) throw error;
    return { error: true, errorNum: error.errorNum, errorMessage: error.message };
  }
}

function countByNumber(errors: readonly Json[]): JsonObject {
  const counts = new Map<string, number>();
  for (const error of errors) {
    const number = String(attributeOf(error, "errorNum"));
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}
