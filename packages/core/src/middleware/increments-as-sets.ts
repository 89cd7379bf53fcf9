import type {
  Check,
  Commit,
  CommitResult,
  IncrementMutation,
  MaybePromise,
  Mutation,
  Namespace,
  Outcome,
  SetMutation,
  StoredEntry,
} from "../adapter.ts";
import { resultAt } from "../commit-result.ts";
import { Refusal } from "../errors.ts";
import { addToNumber } from "../number.ts";
import { LOST, untilWon } from "../optimistic.ts";

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

function countedKeys({ mutations }: Commit): string[] {
  return mutations.filter(({ type }) => type === "increment").map(({ key }) => key);
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
  const ready: { readonly one: Pending; readonly counted: Counted }[] = [];
  for (const one of pending) {
    const counted = withoutIncrements(one.commit, entries, now);
    if ("status" in counted) one.result = counted;
    else ready.push({ one, counted });
  }
  if (ready.length === 0) return;
  const answers = await store.commit(
    namespace,
    ready.map(({ counted }) => counted.commit),
  );
  for (const [i, { one, counted }] of ready.entries()) {
    one.result = asAsked(one.commit, counted, resultAt(answers, i));
  }
}

interface Counted {
  readonly commit: Commit;
  /** By the place of the increment. */
  readonly sums: ReadonlyMap<number, number>;
}

/** The answer to a counted commit as one to the commit that was asked for; `undefined`: a number changed meanwhile. */
function asAsked(commit: Commit, { sums }: Counted, answer: CommitResult): CommitResult | undefined {
  if (answer.status === "conflict") {
    const own = new Set(commit.checks.map(({ key }) => key));
    const failed = answer.failed.filter((key) => own.has(key));
    return failed.length === 0 ? undefined : { status: "conflict", failed };
  }
  if (answer.status !== "ok") return answer;
  const outcomes = answer.outcomes.map((outcome, i): Outcome => {
    const value = sums.get(i);
    return value === undefined ? outcome : { ...outcome, value };
  });
  return { status: "ok", outcomes };
}

/** What later mutations of a commit find under a key. */
type Content = Pick<StoredEntry, "payload" | "encoding" | "policy" | "user">;

function withoutIncrements(
  commit: Commit,
  entries: ReadonlyMap<string, StoredEntry | undefined>,
  now: number,
): Counted | CommitResult {
  const state = new Map<string, Content | undefined>(entries);
  const checks: Check[] = [...commit.checks];
  for (const key of new Set(countedKeys(commit))) {
    checks.push({ key, revision: entries.get(key)?.revision ?? null });
  }
  const mutations: Mutation[] = [];
  const sums = new Map<number, number>();
  for (const mutation of commit.mutations) {
    if (mutation.type === "increment") {
      const set = counted(mutation, state.get(mutation.key));
      if ("status" in set) return set;
      sums.set(mutations.length, Number(set.payload));
      mutations.push(set);
      state.set(mutation.key, set);
    } else {
      mutations.push(mutation);
      state.set(mutation.key, afterwards(mutation, state.get(mutation.key), now));
    }
  }
  return { commit: { checks, mutations }, sums };
}

function afterwards(
  mutation: Exclude<Mutation, IncrementMutation>,
  before: Content | undefined,
  now: number,
): Content | undefined {
  if (mutation.type === "delete") return undefined;
  // A deadline that has passed leaves the key absent.
  if (typeof mutation.expiresAt === "number" && mutation.expiresAt <= now) return undefined;
  if (mutation.type === "set") return mutation;
  if (before === undefined || mutation.policy === undefined) return before;
  const { payload, encoding, user } = before;
  return { payload, encoding, user, policy: mutation.policy };
}

/** The set that an increment comes to, by the same rules as in a backend that adds by itself. */
function counted(
  { key, by, expiresAt, policy, user }: IncrementMutation,
  before: Content | undefined,
): SetMutation | CommitResult {
  if (before?.payload instanceof Refusal) return { status: "error", error: before.payload };
  const isNumber = before === undefined || before.encoding === "json";
  const sum = isNumber ? addToNumber(before?.payload, by) : undefined;
  if (sum === undefined) return { status: "not-a-number", key };
  const written = { type: "set", key, payload: JSON.stringify(sum), encoding: "json" } as const;
  return before === undefined
    ? { ...written, expiresAt, policy, user }
    : { ...written, expiresAt: "keep", policy: before.policy, user: before.user };
}
