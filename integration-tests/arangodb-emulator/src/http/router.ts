import { ArangoError } from "../errors.ts";
import type { ServerState } from "../server/server-state.ts";
import type { Answer } from "./answer.ts";
import type { ApiRequest } from "./api-request.ts";
import { admin, getEngine, getVersion, openAuth, users } from "./routes/admin.ts";
import { collections } from "./routes/collections.ts";
import { cursors, parseQuery } from "./routes/cursors.ts";
import { databases } from "./routes/databases.ts";
import { documents } from "./routes/documents.ts";
import { edges } from "./routes/edges.ts";
import { indexes } from "./routes/indexes.ts";
import { transactions } from "./routes/transactions.ts";

type Route = (request: ApiRequest, state: ServerState) => Answer | Promise<Answer>;

const routes: Readonly<Record<string, Route>> = {
  "_open/auth": openAuth,
  "_api/version": getVersion,
  "_api/engine": getEngine,
  "_api/user": users,
  "_api/database": databases,
  "_api/collection": collections,
  "_api/index": indexes,
  "_api/document": documents,
  "_api/cursor": cursors,
  "_api/query": parseQuery,
  "_api/transaction": transactions,
  "_api/edges": edges,
};

/** Paths that need no authorization. */
export function isOpen(path: readonly string[]): boolean {
  return path[0] === "_open";
}

/** @throws ArangoError 404 for a path that the emulator does not have */
export async function route(request: ApiRequest, state: ServerState): Promise<Answer> {
  const { path } = request;
  const name = path.slice(0, 2).join("/");
  const handler = path[0] === "_admin" ? admin : Object.hasOwn(routes, name) ? routes[name] : undefined;
  if (handler === undefined) throw new ArangoError("unknownPath", `unknown path '/${path.join("/")}'`);
  return handler(request, state);
}
