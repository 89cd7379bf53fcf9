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

/** A store of entries as they were written, which cannot add to numbers itself. */
export interface NumberlessStore {
  clock(): number;
  read(namespace: Namespace, keys: readonly string[]): MaybePromise<(StoredEntry | undefined)[]>;
  commit(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]>;
}

/**
 * Makes commits with every increment as a set of the sum, checked against whoever else writes the number meanwhile, and
 * tries again until it is not in vain. All that is promised of a commit and of the order within a call holds.
 */
export async function commitWithoutIncrements(
  store: NumberlessStore,
  namespace: Namespace,
  commits: readonly Commit[],
): Promise<CommitResult[]> {
  const pending = commits.map((commit): Pending => ({ commit, result: undefined }));
  for (const wave of waves(pending)) {
    let left = wave;
    // Only the increments of others can make an attempt futile, and each time one of them got through.
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
  /** `undefined`: not made yet. */
  result: CommitResult | undefined;
}

/** Cuts a call into parts, within which no commit concerns a key that another one adds to: those can be tried again alone. */
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

/** Leaves those without a result that have to be tried again. */
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

/** The entries that a commit adds to, of those that were read for all. */
function ofCommit(
  commit: Commit,
  entries: ReadonlyMap<string, StoredEntry | undefined>,
): ReadonlyMap<string, StoredEntry | undefined> {
  return new Map(countedKeys(commit).map((key) => [key, entries.get(key)]));
}

/** Numbers are what they are in a backend that adds to them itself. */
const JSON_NUMBERS: Numbers = {
  read({ payload, encoding }) {
    if (payload instanceof Refusal) throw payload;
    return encoding === "json" ? numberOf(payload) : undefined;
  },
  write: (sum) => ({ payload: JSON.stringify(sum), encoding: "json" }),
};
