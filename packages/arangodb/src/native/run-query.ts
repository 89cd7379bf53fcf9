import { Refusal, type StoreReader } from "@kv/core";
import { type AqlQuery, aql, isGeneratedAqlQuery } from "arangojs/aql";
import type { ArangoCollection } from "arangojs/collections";
import { HIGHEST, ordered } from "../stored/keys.ts";
import { layoutOf } from "../stored/layout.ts";
import { nativeBackend } from "./native-backend.ts";

/** The parts for a statement over a store's documents. Each is inserted into an `aql` template as `${…}`. */
export interface QueryParts {
  /** The collection of entries: `FOR d IN ${entries}`. */
  readonly entries: ArangoCollection;
  /** The collection of links, which exists after the first link. */
  readonly links: ArangoCollection;
  /** The condition that a document named `d` is a live entry of this view: `FILTER ${mine}`. It uses an index. */
  readonly mine: AqlQuery;
}

/** Keywords with which AQL changes data. */
const WRITING = /\b(?:insert|update|replace|remove|upsert)\b/i;
/** Quoted texts and comments, in which such a word is not a keyword. */
const QUOTED =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|´(?:[^´\\]|\\.)*´|\/\/[^\n]*|\/\*.*?\*\//gs;

/**
 * Runs your own statement over the documents of a store, whose layout is part of this package's contract: `d.key`, `d.value`
 * (a JSON value), `d.createdAt`, `d.updatedAt`, `d.expiresAt` (milliseconds), `d.policy`, `d.metadata`. The statement is an
 * `aql` template, so that every variable part is a bind parameter. It only reads: watchers would not see its changes.
 *
 * ```ts
 * const adults = await query<string>(
 *   store,
 *   ({ entries, mine }) => aql`FOR d IN ${entries} FILTER ${mine} AND d.value.age >= ${18} RETURN d.key`,
 * );
 * ```
 * @throws KvError `KV_UNSUPPORTED` if the store is over another adapter, `KV_INVALID_OPTION` if the statement is not an `aql`
 * template, or writes
 */
export async function query<T = unknown>(
  store: StoreReader<unknown>,
  statement: (parts: QueryParts) => AqlQuery,
): Promise<T[]> {
  const { access, adapter } = nativeBackend(store, "query");
  return access.run({ operation: "query", keys: [], writes: false }, () => {
    const { entries, links } = layoutOf(adapter.collection);
    const made = statement({
      entries: collection(entries),
      links: collection(links),
      mine: mine(ordered(access.namespace.id), access.prefix),
    });
    if (!isGeneratedAqlQuery(made)) {
      throw new Refusal(
        "KV_INVALID_OPTION",
        "the statement of query must be an aql template, so that variable parts are bound and not inserted into its text",
      );
    }
    if (WRITING.test(made.query.replace(QUOTED, " "))) {
      throw new Refusal(
        "KV_INVALID_OPTION",
        "query only reads, because watchers would not see its changes; write through the store, and put names that are AQL keywords between backticks",
      );
    }
    return adapter.session.server.query<T>(made.query, made.bindVars);
  });
}

function mine(n: string, prefix: string): AqlQuery {
  const to = prefix === "" ? HIGHEST : ordered(`${prefix.slice(0, -1)};`);
  return aql`d.n == ${n} AND d.k >= ${ordered(prefix)} AND d.k < ${to} AND NOT_NULL(d.expiresAt, 9e15) > DATE_NOW()`;
}

function collection(name: string): ArangoCollection {
  return { isArangoCollection: true, name };
}
