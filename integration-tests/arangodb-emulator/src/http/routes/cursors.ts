import { compileQuery } from "../../aql/compiled-query.ts";
import { ArangoError } from "../../errors.ts";
import { attributeOf, type Json } from "../../json.ts";
import type { ServerState } from "../../server/server-state.ts";
import type { Transaction } from "../../storage/transaction.ts";
import { type Answer, success } from "../answer.ts";
import { type ApiRequest, headerOf, objectBodyOf } from "../api-request.ts";

const standardBatchSize = 1000;
const standardTtl = 30;

/** `/_api/cursor` */
export async function cursors(request: ApiRequest, state: ServerState): Promise<Answer> {
  const [, , id, batch] = request.path;
  if (id === undefined) {
    if (request.method !== "POST") throw new ArangoError("methodNotAllowed");
    return open(request, state);
  }
  switch (request.method) {
    case "POST":
    case "PUT":
      return success(200, state.cursors.next(id, batch));
    case "DELETE":
      state.cursors.delete(id);
      return success(202, { id });
    default:
      throw new ArangoError("methodNotAllowed");
  }
}

async function open(request: ApiRequest, state: ServerState): Promise<Answer> {
  const body = objectBodyOf(request);
  const text = attributeOf(body, "query");
  if (typeof text !== "string") throw new ArangoError("queryEmpty");
  const options = attributeOf(body, "options");
  const batchSize = attributeOf(body, "batchSize") ?? standardBatchSize;
  if (typeof batchSize !== "number" || batchSize < 1) {
    throw new ArangoError("badParameter", "expecting non-zero value for 'batchSize'");
  }
  const run = (transaction: Transaction | undefined) => {
    const isStream = attributeOf(options, "stream") === true;
    return state.queries.run({
      text,
      binds: attributeOf(body, "bindVars"),
      database: request.database,
      transaction,
      mayWrite: request.level === "rw",
      useIndexes: state.settings.useIndexes,
      failOnWarning: attributeOf(options, "failOnWarning") === true,
      wantsFullCount: attributeOf(options, "fullCount") === true && !isStream,
    });
  };
  const id = headerOf(request, "x-arango-trx-id");
  try {
    const { values, warnings, stats } =
      id === undefined ? await run(undefined) : await state.transactions.use(id, request.database.name, run);
    const wantsCount = attributeOf(body, "count") === true && attributeOf(options, "stream") !== true;
    const first = state.cursors.open({
      values,
      batchSize,
      ttl: secondsOf(attributeOf(body, "ttl")),
      allowRetry: attributeOf(options, "allowRetry") === true,
      common: {
        ...(wantsCount ? { count: values.length } : {}),
        cached: false,
        extra: { warnings, stats },
      },
    });
    return success(201, first);
  } catch (error) {
    // A revision that does not match is a conflict inside AQL, not a condition of the request.
    if (error instanceof ArangoError && error.code === 412)
      throw new ArangoError("conflict", `AQL: ${error.message}`);
    throw error;
  }
}

function secondsOf(ttl: Json): number {
  return typeof ttl === "number" && ttl > 0 ? ttl : standardTtl;
}

/** `/_api/query`: parses and executes nothing. */
export function parseQuery(request: ApiRequest): Answer {
  const text = attributeOf(objectBodyOf(request), "query");
  if (typeof text !== "string") throw new ArangoError("queryEmpty");
  const { parameters, accesses } = compileQuery(text);
  const collections = accesses.flatMap((access) =>
    "source" in access && access.source.kind === "collection" ? [access.source.name] : [],
  );
  return success(200, {
    parsed: true,
    collections: [...new Set(collections)],
    bindVars: [...parameters],
    ast: [],
  });
}
