import { applied, type Commit, type CommitResult, type Namespace, type StoredEntry } from "@kv/core";
import { type Patience, untilUndisturbed } from "../connection/back-off.ts";
import { LOOK } from "../read/read-queries.ts";
import { ArangoEntry, identityOf, namespacePart, type Row } from "../stored/document.ts";
import { documentKey } from "../stored/keys.ts";
import { contentsOf } from "./commit-plan.ts";
import type { WriteContext } from "./write-context.ts";

type Found = readonly [id: string, rev: string, live: boolean, origin: string, row: Row];
type Look = readonly [now: number, found: readonly Found[]];
type Swapped = readonly [now: number, left: number, same: boolean];

/** A document as it was read; without `entry`, the entry is absent or expired. */
interface Seen {
  readonly rev: string;
  readonly origin: string;
  readonly entry: StoredEntry | undefined;
}

/**
 * Applies any batch of commits: it reads the documents, computes their new state in this process, and writes that if no other
 * writer has changed any of them meanwhile; otherwise it starts again.
 */
export async function commitInTwoSteps(
  context: WriteContext,
  namespace: Namespace,
  commits: readonly Commit[],
): Promise<CommitResult[]> {
  const ids = new Map<string, string>();
  for (const { checks, mutations } of commits) {
    for (const { key } of [...checks, ...mutations]) {
      if (!ids.has(key)) ids.set(key, documentKey(namespace.id, key));
    }
  }
  const patience = context.lanes.patience();
  return untilUndisturbed(patience, async () => {
    const { now, seen } = await look(context, [...ids.values()], patience.forRequest);
    const work = new Work(context, namespace, ids, seen, now);
    const results = commits.map((commit) => work.apply(commit));
    return (await work.putInPlace(patience)) ? { done: results } : "again";
  });
}

async function look(
  { server, layout }: WriteContext,
  ids: readonly string[],
  timeout: number,
): Promise<{ now: number; seen: ReadonlyMap<string, Seen> }> {
  const [answer] = await server.execute<Look>(LOOK, { "@entries": layout.entries, ids }, { timeout });
  const [now, found] = answer ?? [0, []];
  const seen = new Map<string, Seen>();
  for (const [id, rev, live, origin, row] of found) {
    seen.set(id, { rev, origin, entry: live ? new ArangoEntry(row) : undefined });
  }
  return { now, seen };
}

/** Computes a batch on the documents that were read. */
class Work {
  readonly #context: WriteContext;
  readonly #namespace: Namespace;
  readonly #ids: ReadonlyMap<string, string>;
  readonly #seen: ReadonlyMap<string, Seen>;
  readonly #now: number;
  /** The entries of changed keys after the commits so far. */
  readonly #changed = new Map<string, StoredEntry | undefined>();
  /** The keys that commits with writes depend on. */
  readonly #held = new Set<string>();

  constructor(
    context: WriteContext,
    namespace: Namespace,
    ids: ReadonlyMap<string, string>,
    seen: ReadonlyMap<string, Seen>,
    now: number,
  ) {
    this.#context = context;
    this.#namespace = namespace;
    this.#ids = ids;
    this.#seen = seen;
    this.#now = now;
  }

  apply(commit: Commit): CommitResult {
    const { result, changes } = applied(commit, {
      form: "value",
      find: (key) => this.#find(key),
      now: () => this.#now,
      revision: () => this.#context.revisions.next(),
    });
    for (const [key, entry] of changes) this.#changed.set(key, entry);
    if (changes.size > 0) {
      for (const { key } of [...commit.checks, ...commit.mutations]) this.#held.add(key);
    }
    return result;
  }

  #find(key: string): StoredEntry | undefined {
    if (!this.#changed.has(key)) return this.#before(key)?.entry;
    const entry = this.#changed.get(key);
    return entry?.expiresAt !== undefined && entry.expiresAt <= this.#now ? undefined : entry;
  }

  #before(key: string): Seen | undefined {
    return this.#seen.get(this.#ids.get(key) ?? "");
  }

  /** Writes the result. Returns false if another writer came between. */
  async putInPlace(patience: Patience): Promise<boolean> {
    if (this.#held.size === 0) return true;
    const { lanes, layout, queries } = this.#context;
    const keys = [...this.#held];
    const deadlines = keys.flatMap((key) => this.#before(key)?.entry?.expiresAt ?? []);
    const swap = {
      "@entries": layout.entries,
      "@changes": layout.changes,
      "@system": layout.system,
      rows: keys.map((key) => ({
        id: this.#ids.get(key),
        rev: this.#before(key)?.rev ?? null,
        doc: this.#document(key),
      })),
      before: deadlines.length === 0 ? null : Math.min(...deadlines),
      changed: keys.flatMap((key) => {
        const kind = this.#kind(key);
        return kind === undefined ? [] : [[this.#namespace.id, key, this.#ids.get(key), kind, null]];
      }),
    };
    const [, , same] = await lanes.write<Swapped>(queries.swap, this.#namespace, swap, patience);
    return same;
  }

  /** The key's new document; `null`: unchanged. */
  #document(key: string): object | null {
    const before = this.#before(key);
    if (!this.#changed.has(key) && before?.entry !== undefined) return null;
    const entry = this.#changed.get(key);
    const common = { ...namespacePart(this.#namespace), ...identityOf(this.#namespace, key) };
    if (entry === undefined) return { ...common, dead: true, expiresAt: 1, reclaimAt: 1 };
    const { revision, createdAt, updatedAt } = entry;
    const { contents } = contentsOf(entry, revision);
    // A key that is deleted and created again within one millisecond counts as the same entry: nothing else distinguishes them.
    const stays = before?.entry !== undefined && before.entry.createdAt === createdAt;
    return { ...common, ...contents, createdAt, updatedAt, origin: stays ? before.origin : revision };
  }

  #kind(key: string): "set" | "touch" | "delete" | "expire" | undefined {
    if (!this.#changed.has(key)) return undefined;
    const before = this.#before(key)?.entry;
    const after = this.#changed.get(key);
    if (after === undefined) return before === undefined ? undefined : "delete";
    if (after.expiresAt !== undefined && after.expiresAt <= this.#now)
      return before === undefined ? undefined : "expire";
    return after.revision === before?.revision ? "touch" : "set";
  }
}
