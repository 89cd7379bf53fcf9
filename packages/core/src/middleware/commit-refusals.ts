import type { Commit, CommitResult, MaybePromise } from "../adapter.ts";
import { type KvErrorCode, Refusal } from "../errors.ts";
import { after } from "./chain.ts";

/**
 * Makes the commits that nothing speaks against; a refused one fails by itself. `refuse` tells why a commit is refused,
 * or `undefined`.
 */
export function commitOthers(
  commits: readonly Commit[],
  refuse: (commit: Commit) => Refusal | undefined,
  make: (commits: readonly Commit[]) => MaybePromise<CommitResult[]>,
): MaybePromise<CommitResult[]> {
  const refusals = commits.map(refuse);
  if (!refusals.some((refusal) => refusal !== undefined)) return make(commits);
  const others = commits.filter((_, i) => refusals[i] === undefined);
  return after(others.length === 0 ? [] : make(others), (results) => {
    let next = 0;
    return refusals.map((refusal): CommitResult => {
      if (refusal !== undefined) return { status: "error", error: refusal };
      const result = results[next++];
      if (result === undefined)
        throw new TypeError("the adapter answered with fewer results than there were commits");
      return result;
    });
  });
}

/** Names the key only where the caller would not know it: keys of a scope are longer here than the caller wrote them. */
export function mutationRefusal(
  commit: Commit,
  key: string,
  code: KvErrorCode,
  message: string,
  cause?: unknown,
): Refusal {
  const named = commit.mutations.length > 1 ? { key } : {};
  return new Refusal(code, message, cause === undefined ? named : { ...named, cause });
}
