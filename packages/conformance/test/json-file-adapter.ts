import type { Adapter, Bounds, KvErrorCode, Namespace } from "@kv/core";
import { compareKeys, inBounds, namespaceFromId } from "@kv/core";
import { JsonFile, type Row, rowId } from "./json-file.ts";
import { apply, isLive } from "./json-file-commit.ts";

const PAGE = 256;
const CODES: ReadonlyMap<unknown, KvErrorCode> = new Map([
  ["ENOENT", "KV_UNAVAILABLE"],
  ["EACCES", "KV_UNAVAILABLE"],
  ["ENOSPC", "KV_CAPACITY"],
]);

export interface JsonFileOptions {
  readonly path: string;
  /** Milliseconds since 1970, for tests. Default: `Date.now`. */
  readonly clock?: () => number;
}

/** Everything in one JSON file that every batch of writes replaces as a whole: an example, short rather than fast. */
export function jsonFile({ path, clock = Date.now }: JsonFileOptions): Adapter {
  const file = new JsonFile(path);

  function live(keep: (row: Row) => boolean): Row[] {
    const now = clock();
    return [...file.rows.values()].filter((row) => isLive(row, now) && keep(row));
  }

  function within({ id }: Namespace, bounds: Bounds): Row[] {
    return live((row) => row.namespace === id && inBounds(row.key, bounds));
  }

  function remove(rows: readonly Row[]): number {
    const rest = new Map(file.rows);
    for (const { namespace, key } of rows) rest.delete(rowId(namespace, key));
    if (rows.length > 0) file.save(rest);
    return rows.length;
  }

  return {
    name: "json-file",
    // JSON values stay as they are: the file can be read by anyone.
    form: "value",
    capabilities: {
      persistent: true,
      shared: false,
      ordered: true,
      snapshotScans: true,
      linearizable: true,
      watch: false,
    },
    // Any write costs the whole file, so those of one tick are gathered. What is read is at hand.
    batch: { read: false, commit: true },
    clock,
    open: () => file.open(),
    close: () => file.close(),
    read({ id }, keys) {
      const now = clock();
      return keys.map((key) => [file.rows.get(rowId(id, key))].find((row) => isLive(row, now)));
    },
    commit({ id }, commits) {
      let { rows } = file;
      const results = commits.map((commit) => {
        const attempt = new Map(rows);
        const result = apply(attempt, id, commit, file, clock());
        if (result.status === "ok") rows = attempt;
        return result;
      });
      if (rows !== file.rows) file.save(rows);
      return results;
    },
    *scan(namespace, range) {
      const rows = within(namespace, range).sort((a, b) => compareKeys(a.key, b.key));
      const wanted = (range.reverse ? rows.reverse() : rows).slice(0, range.limit);
      for (let at = 0; at < wanted.length; at += PAGE) yield wanted.slice(at, at + PAGE);
    },
    count: (namespace, bounds) => within(namespace, bounds).length,
    clear(namespace, { descendants, policy, ...bounds }) {
      const inside = descendants
        ? live((row) => row.namespace.startsWith(namespace.id))
        : within(namespace, bounds);
      return remove(inside.filter((row) => policy === undefined || row.policy === policy));
    },
    namespaces({ id }) {
      const below = live((row) => row.namespace !== id && row.namespace.startsWith(id));
      return [[...new Set(below.map((row) => row.namespace))].map(namespaceFromId)];
    },
    stats(namespace, bounds) {
      const rows = within(namespace, bounds);
      const expiring = rows.filter(({ expiresAt }) => expiresAt !== undefined).length;
      const evictable = rows.filter(({ policy }) => policy === "evict").length;
      return { keys: rows.length, expiring, evictable, bytes: undefined, backend: { path } };
    },
    sweep() {
      const now = clock();
      return remove([...file.rows.values()].filter((row) => !isLive(row, now)));
    },
    errorCode: (error) => (error instanceof Error && "code" in error ? CODES.get(error.code) : undefined),
  };
}
