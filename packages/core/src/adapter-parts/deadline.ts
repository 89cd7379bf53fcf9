import type {
  Adapter,
  Check,
  Commit,
  CommitResult,
  DeleteMutation,
  IncrementMutation,
  MaybePromise,
  Namespace,
  SetMutation,
  TouchMutation,
} from "../contract/adapter.ts";
import { MAX_TIME } from "../contract/duration.ts";
import { monotonicNow } from "../runtime/platform.ts";
import { resultAt } from "./answers.ts";

/**
 * A deadline `ttl` after a call, by a clock that is not known yet: a server's, before the adapter is open or before the
 * clock was measured again. It becomes a time when the commit is passed to the adapter.
 */
export class PendingDeadline {
  readonly #ttl: number;
  readonly #called: number = monotonicNow();

  /** @param ttl milliseconds from now */
  constructor(ttl: number) {
    this.#ttl = ttl;
  }

  /** Milliseconds since 1970. `now` is the clock's time now; the time since the call is subtracted. */
  at(now: number): number {
    return deadlineAfter(now - (monotonicNow() - this.#called), this.#ttl);
  }
}

/** Milliseconds since 1970, or a deadline that becomes a time later. */
export type Deadline = number | PendingDeadline;

/** Whether a deadline has passed, which makes the entry absent. False for `"keep"`, which keeps a live entry's deadline. */
export function isOver(deadline: Deadline | "keep" | undefined, now: number): boolean {
  if (deadline === undefined || deadline === "keep") return false;
  return (typeof deadline === "number" ? deadline : deadline.at(now)) <= now;
}

/** Whether a commit gives a deadline that may have passed for its own later mutations. */
export function mayBeOver({ mutations }: PlannedCommit): boolean {
  return mutations.some(
    (mutation) =>
      (mutation.type === "set" || mutation.type === "touch") &&
      (typeof mutation.expiresAt === "number" || mutation.expiresAt instanceof PendingDeadline),
  );
}

/** The time `ttl` milliseconds after `now`, as far as a `Date` reaches. */
export function deadlineAfter(now: number, ttl: number): number {
  return Math.min(Math.ceil(now + ttl), MAX_TIME);
}

type Planned<M extends { readonly expiresAt: unknown }> = Omit<M, "expiresAt"> & {
  readonly expiresAt: M["expiresAt"] | PendingDeadline;
};

export type PlannedSet = Planned<SetMutation>;
export type PlannedIncrement = Planned<IncrementMutation>;
export type PlannedTouch = Planned<TouchMutation>;
export type PlannedMutation = PlannedSet | DeleteMutation | PlannedIncrement | PlannedTouch;

/** A commit before it is passed to the adapter. */
export interface PlannedCommit {
  readonly checks: readonly Check[];
  readonly mutations: readonly PlannedMutation[];
}

/** How deadlines are computed for an adapter: at once if its clock is always accurate, else once it was measured. */
export function deadlinesOf(adapter: Adapter): (ttl: number) => Deadline {
  return adapter.syncClock === undefined
    ? (ttl) => deadlineAfter(adapter.clock(), ttl)
    : (ttl) => new PendingDeadline(ttl);
}

function isPending({ mutations }: PlannedCommit): boolean {
  return mutations.some(
    (mutation) => mutation.type !== "delete" && mutation.expiresAt instanceof PendingDeadline,
  );
}

/** The commit with its deadlines as times. */
function dated({ checks, mutations }: PlannedCommit, now: number): Commit {
  const times = mutations.map((mutation) => {
    if (mutation.type === "delete" || !(mutation.expiresAt instanceof PendingDeadline)) return mutation;
    return { ...mutation, expiresAt: mutation.expiresAt.at(now) };
  });
  return { checks, mutations: times as Commit["mutations"] };
}

/** The adapter's `commit`, after its clock was measured if a deadline depends on it. `guard` limits how long that may take. */
export function commitDated(
  adapter: Adapter,
  namespace: Namespace,
  commits: readonly PlannedCommit[],
  guard: (synced: Promise<void>) => Promise<void>,
): MaybePromise<CommitResult[]> {
  if (!commits.some(isPending)) return adapter.commit(namespace, commits as readonly Commit[]);
  const commitAll = () => {
    const now = adapter.clock();
    const all = commits.map((commit) => dated(commit, now));
    return adapter.commit(namespace, all);
  };
  const synced = adapter.syncClock?.();
  if (synced === undefined) return commitAll();
  return guard(synced).then(commitAll, (error: unknown) => commitUndated(adapter, namespace, commits, error));
}

/** The server's time is unavailable: the commits that depend on it fail, and no others. */
async function commitUndated(
  adapter: Adapter,
  namespace: Namespace,
  commits: readonly PlannedCommit[],
  error: unknown,
): Promise<CommitResult[]> {
  const others = commits.filter((commit) => !isPending(commit));
  const made = others.length === 0 ? [] : await adapter.commit(namespace, others as readonly Commit[]);
  let at = 0;
  return commits.map((commit) => (isPending(commit) ? { status: "error", error } : resultAt(made, at++)));
}
