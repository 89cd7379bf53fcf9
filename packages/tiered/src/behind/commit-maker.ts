import {
  type Adapter,
  applied,
  type Commit,
  type CommitResult,
  type Mutation,
  monotonicNow,
  type Namespace,
  SessionRevisions,
  type StoredChange,
  type StoredEntry,
} from "@kv/core";
import type { Backlog, Change, State } from "./backlog.ts";
import type { PendingRead } from "./pending-reads.ts";

export interface CommitMakerParts {
  readonly form: Adapter["form"];
  readonly clock: () => number;
  readonly backlog: Backlog;
  /** Whether the namespace is watched. */
  readonly watched: (namespaceId: string) => boolean;
}

/** The results and changes of commits, not yet in effect. */
export interface Made {
  readonly results: CommitResult[];
  readonly changes: readonly MadeChange[];
}

interface MadeChange {
  readonly change: Change;
  /** The changes to be reported to watchers. */
  readonly told: readonly StoredChange[];
}

/** The states made by earlier commits that are not in the backlog yet, by namespace id and key. */
export type Latest = Map<string, Map<string, State>>;

/** Computes the results of commits and the states in which they leave their keys. */
export class CommitMaker {
  readonly #parts: CommitMakerParts;
  readonly #revisions = new SessionRevisions();
  #number: number;

  constructor(parts: CommitMakerParts) {
    this.#parts = parts;
    this.#number = parts.backlog.number;
  }

  make(namespace: Namespace, commits: readonly Commit[], pending: PendingRead, latest: Latest): Made {
    const { backlog, clock, form, watched } = this.#parts;
    const states = latest.get(namespace.id) ?? new Map<string, State>();
    latest.set(namespace.id, states);
    const now = clock();
    const before = (key: string): State | undefined =>
      states.get(key) ?? backlog.find(namespace.id, key) ?? pending.states.get(key);
    const live = (key: string): StoredEntry | undefined => {
      const entry = before(key)?.entry;
      return entry?.expiresAt !== undefined && entry.expiresAt <= now ? undefined : entry;
    };
    const ground = { form, find: live, now: () => now, revision: () => this.#revisions.next() };
    const changes: MadeChange[] = [];
    const results = commits.map((commit): CommitResult => {
      const { result, changes: changed } = applied(commit, ground);
      if (changed.size === 0) return result;
      const made = new Map<string, State>();
      const deleted = deletedBy(commit);
      for (const [key, entry] of changed) {
        const known = before(key);
        // A blind set (or a set over one) may continue an existing entry, whose `createdAt` only the far tier knows.
        const inherits = known === undefined || (live(key) !== undefined && known.sinceWhen === "far");
        const sinceWhen = inherits && entry !== undefined && !deleted?.has(key) ? "far" : "known";
        made.set(key, { entry, sinceWhen });
      }
      const told = watched(namespace.id) ? changesOf(commit.mutations, made, live, now) : [];
      for (const [key, state] of made) states.set(key, state);
      const number = ++this.#number;
      changes.push({ change: { number, namespace, states: made, at: monotonicNow() }, told });
      return result;
    });
    return { results, changes };
  }
}

function deletedBy({ mutations }: Commit): ReadonlySet<string> | undefined {
  if (!mutations.some(({ type }) => type === "delete")) return undefined;
  return new Set(mutations.flatMap(({ key, type }) => (type === "delete" ? key : [])));
}

/** The changes that a commit reports to watchers: the state in which it left each key. */
function changesOf(
  mutations: readonly Mutation[],
  made: ReadonlyMap<string, State>,
  before: (key: string) => StoredEntry | undefined,
  now: number,
): StoredChange[] {
  const touched = new Set(mutations.map(({ key }) => key));
  for (const { key, type } of mutations) if (type !== "touch") touched.delete(key);
  return [...made].flatMap(([key, { entry }]): StoredChange[] => {
    if (entry !== undefined && (entry.expiresAt === undefined || entry.expiresAt > now))
      return [{ type: touched.has(key) ? "touch" : "set", key, entry }];
    if (entry !== undefined) return [{ type: "expire", key }];
    return before(key) === undefined ? [] : [{ type: "delete", key }];
  });
}
