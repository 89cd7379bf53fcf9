import { Refusal, type StoreReader } from "@kv/core";
import { type AqlQuery, aql, isGeneratedAqlQuery } from "arangojs/aql";
import type { ArangoCollection } from "arangojs/collections";
import { HIGHEST, ordered } from "../stored/keys.ts";
import { layoutOf } from "../stored/layout.ts";
import { nativeBackend } from "./native-backend.ts";

/** What a statement over a store's documents is made of. Each goes into a template of the tag `aql` as `${…}`. */
export interface QueryParts {
  /** The collection of entries: `FOR d IN ${entries}`. */
  readonly entries: ArangoCollection;
  /** The collection of links, which exists once something was linked. */
  readonly links: ArangoCollection;
  /** A condition on a document named `d`: that it is a live entry of this view, `FILTER ${mine}`. By index. */
  readonly mine: AqlQuery;
}

/** Words with which AQL changes data. */
const WRITING = /\b(?:insert|update|replace|remove|upsert)\b/i;
/** What such a word may stand in without meaning it. */
const QUOTED =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|´(?:[^´\\]|\\.)*´|\/\/[^\n]*|\/\*.*?\*\//gs;

/**
 * Runs a statement of your own over the documents of a store, whose layout is part of this package's contract: `d.key`,
 * `d.value` (a JSON value), `d.createdAt`, `d.updatedAt`, `d.expiresAt` (milliseconds), `d.policy`, `d.metadata`. The
 * statement is a template of `aql`, so that whatever varies is a bind parameter. It only reads: what it wrote would be
 * told to no watcher.
 *
 * ```ts
 * const adults = await query<string>(
 *   store,
 *   ({ entries, mine }) => aql`FOR d IN ${entries} FILTER ${mine} AND d.value.age >= ${18} RETURN d.key`,
 * );
 * ```
 * @throws KvError `KV_UNSUPPORTED` where the store is over something else, `KV_INVALID_OPTION` where the statement is no
 * template of `aql`, or writes
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
        "a statement must be a template of the tag aql, so that what varies is bound and not put into its text",
      );
    }
    if (WRITING.test(made.query.replace(QUOTED, " "))) {
      throw new Refusal(
        "KV_INVALID_OPTION",
        "a statement of query only reads: what it changed would be told to no watcher; write through the store, and put names that are such words between backticks",
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
