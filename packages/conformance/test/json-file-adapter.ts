import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Adapter, Bounds, KvErrorCode, StoredEntry } from "@kv/core";
import { applied, compareKeys, inBounds, namespaceFromId, SessionRevisions, structured } from "@kv/core";

/** An entry and the id of its namespace. */
type Row = StoredEntry & { readonly namespace: string };

const PAGE = 256;
/** `EEXIST` comes from the lock. */
const CODES: Readonly<Record<string, KvErrorCode>> = { ENOSPC: "KV_CAPACITY", EEXIST: "KV_UNAVAILABLE" };

/** Everything in one JSON file, replaced as a whole by every batch of writes: an example, short rather than fast. */
export function jsonFile({ path, clock = Date.now }: { path: string; clock?: () => number }): Adapter {
  let rows = new Map<string, Row>();
  // A counter in the file would repeat revisions after an older file was restored.
  const revisions = new SessionRevisions();
  const ground = { form: "text", now: clock, revision: () => revisions.next() } as const;

  const idOf = (namespace: string, key: string): string => JSON.stringify([namespace, key]);
  const isLive = ({ expiresAt }: Row): boolean => expiresAt === undefined || expiresAt > clock();
  const live = (keep: (row: Row) => boolean): Row[] =>
    [...rows.values()].filter((row) => isLive(row) && keep(row));
  const within = (namespace: string, bounds: Bounds): Row[] =>
    live((row) => row.namespace === namespace && inBounds(row.key, bounds));
  const find = (namespace: string, key: string): Row | undefined => {
    const row = rows.get(idOf(namespace, key));
    return row !== undefined && isLive(row) ? row : undefined;
  };

  /** Writes a new file and renames it, so that a reader finds it whole or not at all. Only then do reads see it. */
  function save(next: Map<string, Row>): void {
    // JSON with an encoding for bytes.
    writeFileSync(`${path}.new`, structured.encode([...next.values()]));
    renameSync(`${path}.new`, path);
    rows = next;
  }

  function remove(gone: readonly Row[]): number {
    const next = new Map(rows);
    for (const { namespace, key } of gone) next.delete(idOf(namespace, key));
    if (gone.length > 0) save(next);
    return gone.length;
  }

  return {
    name: "json-file",
    form: "text",
    capabilities: {
      persistent: true,
      shared: false,
      ordered: true,
      snapshotScans: true,
      atomic: "namespace",
      linearizable: true,
      watch: false,
    },
    // Every write rewrites the whole file, so the writes of one tick are batched. Reads are in memory.
    batch: { read: false, commit: true },
    clock,
    open() {
      // One process at a time, because the file is read only here.
      writeFileSync(`${path}.lock`, String(process.pid), { flag: "wx" });
      try {
        const text = readFileSync(path, { encoding: "utf8", flag: "a+" });
        const saved = (text === "" ? [] : structured.decode(text)) as readonly Row[];
        rows = new Map(saved.map((row) => [idOf(row.namespace, row.key), row]));
      } catch (error) {
        rmSync(`${path}.lock`);
        throw error;
      }
    },
    close: () => rmSync(`${path}.lock`),
    read: ({ id }, keys) => keys.map((key) => find(id, key)),
    commit({ id }, commits) {
      const before = rows;
      const results = commits.map((commit) => {
        const { result, changes } = applied(commit, { ...ground, find: (key) => find(id, key) });
        if (changes.size > 0) rows = new Map(rows);
        for (const [key, entry] of changes) {
          if (entry === undefined) rows.delete(idOf(id, key));
          else rows.set(idOf(id, key), { ...entry, namespace: id });
        }
        return result;
      });
      const after = rows;
      rows = before;
      if (after !== before) save(after);
      return results;
    },
    *scan({ id }, { reverse, limit, ...bounds }) {
      const found = within(id, bounds).sort((a, b) => compareKeys(a.key, b.key));
      const wanted = (reverse ? found.reverse() : found).slice(0, limit);
      for (let at = 0; at < wanted.length; at += PAGE) yield wanted.slice(at, at + PAGE);
    },
    count: ({ id }, bounds) => within(id, bounds).length,
    clear({ id }, { descendants, policy, ...bounds }) {
      const inside = descendants ? live((row) => row.namespace.startsWith(id)) : within(id, bounds);
      return remove(inside.filter((row) => policy === undefined || row.policy === policy));
    },
    namespaces({ id }) {
      const below = live((row) => row.namespace !== id && row.namespace.startsWith(id));
      return [[...new Set(below.map((row) => row.namespace))].map(namespaceFromId)];
    },
    stats({ id }, bounds) {
      const found = within(id, bounds);
      const expiring = found.filter(({ expiresAt }) => expiresAt !== undefined).length;
      const evictable = found.filter(({ policy }) => policy === "evict").length;
      return { keys: found.length, expiring, evictable, bytes: undefined, backend: { path } };
    },
    sweep: () => remove([...rows.values()].filter((row) => !isLive(row))),
    errorCode: (error) => CODES[String(Reflect.get(Object(error), "code"))],
  };
}
