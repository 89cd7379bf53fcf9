import { numberOf } from "../../adapter-parts/add-to-number.ts";
import { resultAt } from "../../adapter-parts/answers.ts";
import {
  asAsked,
  type CountedCommit,
  countedCommit,
  countedKeys,
  type Numbers,
} from "../../adapter-parts/counted-commit.ts";
import type { Commit, CommitResult, MaybePromise, Namespace, StoredEntry } from "../../contract/adapter.ts";
import { Refusal } from "../../contract/errors.ts";
import { LOST, untilWon } from "../../runtime/optimistic.ts";

/** An adapter that returns entries as they were written, but cannot add to their numbers. */
export interface NumberlessStore {
  clock(): number;
  read(namespace: Namespace, keys: readonly string[]): MaybePromise<(StoredEntry | undefined)[]>;
  commit(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]>;
}

/**
 * Replaces each increment by a set of the sum, guarded by the revision it was computed from, and retries until no other
 * writer came between. The promises of a commit and of the order within a call hold.
 */
export async function commitWithoutIncrements(
  store: NumberlessStore,
  namespace: Namespace,
  commits: readonly Commit[],
): Promise<CommitResult[]> {
  const pending = commits.map((commit): Pending => ({ commit, result: undefined }));
  for (const wave of waves(pending)) {
    let left = wave;
    // Only another writer's increment makes an attempt fail, so each time one of them succeeded.
    await untilWon(Number.POSITIVE_INFINITY, async () => {
      await attempt(store, namespace, left);
      left = left.filter(({ result }) => result === undefined);
      return left.length === 0 ? undefined : LOST;
    });
  }
  return pending.map(({ result }) => result as CommitResult);
}

interface Pending {
  readonly commit: Commit;
  /** `undefined` until it is made. */
  result: CommitResult | undefined;
}

/**
 * Splits a call into parts within which no commit has a key that another one increments, so that each commit can be
 * retried alone.
 */
function waves(pending: readonly Pending[]): Pending[][] {
  const all: Pending[][] = [];
  let wave: Pending[] = [];
  let concerned = new Set<string>();
  let counted = new Set<string>();
  for (const one of pending) {
    const keys = [...one.commit.checks, ...one.commit.mutations].map(({ key }) => key);
    const counts = countedKeys(one.commit);
    if (keys.some((key) => counted.has(key)) || counts.some((key) => concerned.has(key))) {
      all.push(wave);
      wave = [];
      concerned = new Set();
      counted = new Set();
    }
    wave.push(one);
    for (const key of keys) concerned.add(key);
    for (const key of counts) counted.add(key);
  }
  all.push(wave);
  return all;
}

/** Commits that have to be retried are left without a result. */
async function attempt(
  store: NumberlessStore,
  namespace: Namespace,
  pending: readonly Pending[],
): Promise<void> {
  const keys = [...new Set(pending.flatMap(({ commit }) => countedKeys(commit)))];
  const found = keys.length === 0 ? [] : await store.read(namespace, keys);
  const entries = new Map(keys.map((key, i) => [key, found[i]]));
  const now = store.clock();
  const ready: { readonly one: Pending; readonly counted: CountedCommit<Commit> }[] = [];
  for (const one of pending) {
    const counted = countedCommit(one.commit, ofCommit(one.commit, entries), now, JSON_NUMBERS);
    if ("status" in counted) one.result = counted;
    else ready.push({ one, counted });
  }
  if (ready.length === 0) return;
  const answers = await store.commit(
    namespace,
    ready.map(({ counted }) => counted.commit),
  );
  for (const [i, { one, counted }] of ready.entries()) {
    one.result = asAsked(one.commit, counted.sums, resultAt(answers, i));
  }
}

/** The entries that a commit increments, from those that were read for all commits. */
function ofCommit(
  commit: Commit,
  entries: ReadonlyMap<string, StoredEntry | undefined>,
): ReadonlyMap<string, StoredEntry | undefined> {
  return new Map(countedKeys(commit).map((key) => [key, entries.get(key)]));
}

/** Numbers are stored as by a backend that adds to them itself. */
const JSON_NUMBERS: Numbers = {
  read({ payload, encoding }) {
    if (payload instanceof Refusal) throw payload;
    return encoding === "json" ? numberOf(payload) : undefined;
  },
  write: (sum) => ({ payload: JSON.stringify(sum), encoding: "json" }),
};
