import { asAsked, countedCommit, countedKeys, type Numbers } from "../adapter-parts/counted-commit.ts";
import { mayBeOver, type PlannedCommit } from "../adapter-parts/deadline.ts";
import { refuseAborted } from "../arguments/signal.ts";
import type { CommitResult, MaybePromise } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import type { ViewContext } from "../operation/view-context.ts";

/**
 * Makes a commit that may hold increments. An adapter adds to numbers that were stored as JSON; numbers of other codecs
 * are read, added to and written back here, guarded by their revision.
 */
export function commitCounting(
  context: ViewContext,
  commit: PlannedCommit,
  signal: AbortSignal | undefined,
): MaybePromise<CommitResult> {
  const counts = commit.mutations.some((mutation) => mutation.type === "increment");
  if (counts && !context.codecs.countsNatively) return byHand(context, commit, signal);
  const result = context.lane.commitOne(commit, signal);
  const orByHand = (committed: CommitResult) =>
    committed.status === "not-a-number"
      ? context.connection.continue(() => byHand(context, commit, signal, committed))
      : committed;
  return isPromise(result) ? result.then(orByHand) : orByHand(result);
}

type NotANumber = Extract<CommitResult, { status: "not-a-number" }>;

/** `refused` is the adapter's own answer, if it was asked. */
function byHand(
  context: ViewContext,
  commit: PlannedCommit,
  signal: AbortSignal | undefined,
  refused?: NotANumber,
): MaybePromise<CommitResult> {
  const { codecs, connection, lane } = context;
  const numbers: Numbers = {
    read: (content) => codecs.decodeNumber(content),
    write: (sum) => ({ payload: codecs.payloadOf(sum), encoding: codecs.encodingOf(sum) }),
  };
  const keys = [...new Set([...commit.checks, ...commit.mutations].map(({ key }) => key))];
  const counted = [...new Set(countedKeys(commit))];
  // A clock that has to be measured is asked only if the result depends on it.
  const now = () => (mayBeOver(commit) ? connection.now() : connection.adapter.clock());
  return lane.section(keys, async (direct) => {
    refuseAborted(signal);
    if (refused !== undefined) {
      // The store may hold a number written with an earlier codec. Numbers that the adapter can read itself, it has read.
      const [entry] = await direct.read([refused.key]);
      if (entry === undefined || entry.encoding === "json" || entry.encoding === "bytes") return refused;
    }
    for (;;) {
      const found = await direct.read(counted);
      const entries = new Map(counted.map((key, i) => [key, found[i]]));
      const made = countedCommit(commit, entries, await now(), numbers);
      if ("status" in made) return made;
      const result = asAsked(commit, made.sums, await direct.commit(made.commit));
      if (result !== undefined) return result;
    }
  });
}
