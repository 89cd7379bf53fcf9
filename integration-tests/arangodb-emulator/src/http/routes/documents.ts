import { ArangoError } from "../../errors.ts";
import { attributeOf, isArray, isObject, type Json, type JsonObject, textOf } from "../../json.ts";
import type { ServerState } from "../../server/server-state.ts";
import { decodeRevision } from "../../storage/clock.ts";
import type { Collection } from "../../storage/collection.ts";
import { identityOf, revisionConflict, type Written } from "../../storage/document-writes.ts";
import { isKey } from "../../storage/names.ts";
import { Transaction } from "../../storage/transaction.ts";
import type { Answer } from "../answer.ts";
import { type ApiRequest, bodyOf, checkDataWrite, flagOf, headerOf } from "../api-request.ts";
import { type DocumentParameters, documentParameters } from "../document-parameters.ts";
import { bulkRead, bulkWrite } from "./bulk-documents.ts";

const lockTimeout = 900_000;
/** How long a write of one document waits for another one of the same key. */
const keyTimeout = 1000;

/** `/_api/document` */
export async function documents(request: ApiRequest, state: ServerState): Promise<Answer> {
  const { method, path, database, parameters } = request;
  const [, , name = parameters.get("collection") ?? "", ...rest] = path;
  if (rest.length > 1)
    throw new ArangoError(
      "unknownPath",
      "superfluous parameter, expecting /_api/document/<document-identifier>",
    );
  const collection = database.collection(name);
  const key = rest[0];
  if (method === "GET" || method === "HEAD") {
    if (key === undefined)
      throw new ArangoError("badParameter", "expecting GET /_api/document/<document-identifier>");
    return readOne(request, state, collection, key);
  }
  const body = method === "DELETE" && key !== undefined ? null : bodyOf(request);
  if (method === "PUT" && key === undefined && flagOf(request, "onlyget", false)) {
    return bulkRead(request, state, collection, body);
  }
  checkDataWrite(request);
  if (method !== "POST" && key === undefined && !isArray(body)) {
    if (method === "DELETE" || !isObject(body))
      throw new ArangoError("badParameter", "expecting an array in the body");
  }
  if (key === undefined && isArray(body)) return bulkWrite(request, state, collection, body);
  return writeOne(request, state, collection, method === "POST" ? undefined : key, body);
}

async function readOne(
  request: ApiRequest,
  state: ServerState,
  collection: Collection,
  key: string,
): Promise<Answer> {
  const document = await inTransaction(request, state, (transaction) =>
    (transaction === undefined ? collection.state : transaction.stateOf(collection)).get(key),
  );
  if (document === undefined) throw new ArangoError("documentNotFound");
  const revision = textOf(document, "_rev");
  const headers = { etag: `"${revision}"` };
  if (unquoted(headerOf(request, "if-none-match")) === revision) return { status: 304, headers };
  checkIfMatch(request, document);
  return { status: 200, headers, body: document };
}

/** A single write takes the key first, and only then its snapshot: it waits where others conflict. */
async function writeOne(
  request: ApiRequest,
  state: ServerState,
  collection: Collection,
  named: string | undefined,
  body: Json,
): Promise<Answer> {
  const options = documentParameters(request);
  const input = inputOf(request, named, body);
  const key = attributeOf(input, "_key");
  const write = (transaction: Transaction): Written => {
    if (request.method !== "POST" && typeof key === "string") {
      const stored = transaction.stateOf(collection).get(key);
      if (stored !== undefined) checkIfMatch(request, stored);
    }
    return writeDocument(state, transaction, collection, request.method, input, options);
  };
  const id = headerOf(request, "x-arango-trx-id");
  const written =
    id === undefined
      ? await alone(collection, key, write)
      : await state.transactions.use(id, request.database.name, write);
  return answerOf(request, collection, written, options);
}

async function alone(
  collection: Collection,
  key: Json,
  write: (transaction: Transaction) => Written,
): Promise<Written> {
  const owner = {};
  await collection.access.acquire(owner, false, lockTimeout);
  try {
    if (isKey(key)) await collection.keys.whenFree(key, owner, keyTimeout);
    const transaction = new Transaction([collection]);
    try {
      const written = write(transaction);
      transaction.commit();
      return written;
    } finally {
      transaction.release();
    }
  } finally {
    collection.access.release(owner);
  }
}

/** The document of a request, under the key that the path names. */
function inputOf({ method }: ApiRequest, named: string | undefined, body: Json): JsonObject {
  if (method === "DELETE") return { _key: named ?? null };
  if (!isObject(body)) throw new ArangoError("documentTypeInvalid");
  return named === undefined ? body : { ...body, _key: named };
}

export function writeDocument(
  { writes }: ServerState,
  transaction: Transaction,
  collection: Collection,
  method: string,
  input: JsonObject,
  options: DocumentParameters,
): Written {
  switch (method) {
    case "POST":
      return writes.insert(transaction, collection, input, options);
    case "PUT":
      return writes.replace(transaction, collection, input, options);
    case "PATCH":
      return writes.update(transaction, collection, input, options);
    case "DELETE":
      return writes.remove(transaction, collection, input, options);
    default:
      throw new ArangoError("methodNotAllowed");
  }
}

/** A request that joins a stream transaction runs in it. */
export function inTransaction<T>(
  request: ApiRequest,
  state: ServerState,
  run: (transaction: Transaction | undefined) => T,
): T | Promise<T> {
  const id = headerOf(request, "x-arango-trx-id");
  return id === undefined ? run(undefined) : state.transactions.use(id, request.database.name, run);
}

/** @throws ArangoError 412 where the header names another revision, or nothing that could be one */
function checkIfMatch(request: ApiRequest, stored: JsonObject): void {
  const wanted = unquoted(headerOf(request, "if-match"));
  if (wanted === undefined) return;
  if (decodeRevision(wanted) === undefined || wanted !== stored["_rev"]) throw revisionConflict(stored);
}

function unquoted(header: string | undefined): string | undefined {
  return header?.replace(/^"(.*)"$/, "$1");
}

function answerOf(
  request: ApiRequest,
  collection: Collection,
  written: Written,
  options: DocumentParameters,
): Answer {
  const isSynced = options.waitForSync || collection.waitForSync;
  const isRemoval = request.method === "DELETE";
  const status = isRemoval ? (isSynced ? 200 : 202) : isSynced ? 201 : 202;
  const identity = identityOf(written.new ?? written.old ?? {});
  return {
    status,
    body: options.silent ? {} : describeWritten(written, options),
    headers: {
      etag: `"${textOf(identity, "_rev")}"`,
      location: `/_db/${encodeURIComponent(request.database.name)}/_api/document/${textOf(identity, "_id")}`,
    },
  };
}

export function describeWritten(written: Written, options: DocumentParameters): JsonObject {
  const { old, new: stored } = written;
  const isOverwrite = old !== undefined && stored !== undefined && options.overwriteMode !== "ignore";
  return {
    ...identityOf(stored ?? old ?? {}),
    ...(isOverwrite ? { _oldRev: attributeOf(old, "_rev") } : {}),
    ...(options.returnNew && stored !== undefined ? { new: stored } : {}),
    ...(options.returnOld && old !== undefined && (isOverwrite || stored === undefined) ? { old } : {}),
  };
}
