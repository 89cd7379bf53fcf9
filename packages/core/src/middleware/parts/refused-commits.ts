import { resultAt } from "../../adapter-parts/answers.ts";
import type { Commit, CommitResult, MaybePromise } from "../../contract/adapter.ts";
import { Refusal } from "../../contract/errors.ts";
import { after } from "../../runtime/maybe-promise.ts";

/**
 * Makes the commits that are not refused; a refused one fails alone. `refuse` returns the reason, or `undefined`.
 */
export function commitOthers<C extends Commit>(
  commits: readonly C[],
  refuse: (commit: C) => Refusal | undefined,
  make: (commits: readonly Commit[]) => MaybePromise<CommitResult[]>,
): MaybePromise<CommitResult[]> {
  const refusals = commits.map(refuse);
  if (!refusals.some((refusal) => refusal !== undefined)) return make(commits);
  const others = commits.filter((_, i) => refusals[i] === undefined);
  return after(others.length === 0 ? [] : make(others), (results) => {
    let next = 0;
    return refusals.map((refusal): CommitResult => {
      if (refusal !== undefined) return { status: "error", error: refusal };
      return resultAt(results, next++);
    });
  });
}

/** Names the key only if the commit has several: here a key includes its scope's prefix, which the caller did not write. */
export function capacityRefusal({ mutations }: Commit, key: string, message: string): Refusal {
  return new Refusal("KV_CAPACITY", message, mutations.length > 1 ? { key } : {});
}
