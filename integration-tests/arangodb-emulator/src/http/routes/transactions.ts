import { ArangoError } from "../../errors.ts";
import { attributeOf, isArray, type Json } from "../../json.ts";
import type { ServerState } from "../../server/server-state.ts";
import type { Collection } from "../../storage/collection.ts";
import { type Answer, success } from "../answer.ts";
import { type ApiRequest, checkDataWrite, objectBodyOf } from "../api-request.ts";

const standardLockTimeout = 900;

/** `/_api/transaction` */
export async function transactions(request: ApiRequest, state: ServerState): Promise<Answer> {
  const { method, path, database } = request;
  const [, , id] = path;
  const registry = state.transactions;
  if (id === undefined) {
    if (method === "GET") return { status: 200, body: { transactions: registry.list(database.name) } };
    throw new ArangoError("notImplemented", "JavaScript transactions are not covered by this emulator");
  }
  if (id === "begin" && method === "POST") return begin(request, state);
  switch (method) {
    case "GET":
      break;
    case "PUT":
      registry.commit(id, database.name);
      break;
    case "DELETE":
      registry.abort(id, database.name);
      break;
    default:
      throw new ArangoError("methodNotAllowed");
  }
  return success(200, { result: { id, status: registry.status(id, database.name) } });
}

async function begin(request: ApiRequest, state: ServerState): Promise<Answer> {
  const { database } = request;
  const body = objectBodyOf(request);
  const named = attributeOf(body, "collections");
  const find = (kind: string): Collection[] =>
    namesOf(attributeOf(named, kind)).map((name) => database.collection(name));
  const [read, write, exclusive] = [find("read"), find("write"), find("exclusive")];
  if (write.length + exclusive.length > 0) checkDataWrite(request);
  const seconds = attributeOf(body, "lockTimeout") ?? standardLockTimeout;
  if (typeof seconds !== "number" || seconds < 0)
    throw new ArangoError("badParameter", "needs a valid lockTimeout");
  const id = await state.transactions.begin({
    database: database.name,
    collections: database.everyCollection,
    targets: new Map([
      ...write.map((collection): [Collection, boolean] => [collection, false]),
      ...exclusive.map((collection): [Collection, boolean] => [collection, true]),
    ]),
    declared: {
      read: nameSet(read),
      write: nameSet(write),
      exclusive: nameSet(exclusive),
      allowImplicit: attributeOf(body, "allowImplicit") !== false,
    },
    lockTimeout: (seconds === 0 ? standardLockTimeout : seconds) * 1000,
  });
  return success(201, { result: { id, status: "running" } });
}

function nameSet(collections: readonly Collection[]): Set<string> {
  return new Set(collections.map(({ name }) => name));
}

function namesOf(value: Json): readonly string[] {
  if (value === null) return [];
  if (typeof value === "string") return [value];
  if (isArray(value) && value.every((name) => typeof name === "string")) return value;
  throw new ArangoError("badParameter", "Invalid attribute value for 'collections'");
}
