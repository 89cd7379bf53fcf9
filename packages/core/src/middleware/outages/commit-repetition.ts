import type { Adapter, Commit, CommitResult, MaybePromise, Namespace } from "../../contract/adapter.ts";
import { after, rescued } from "../../runtime/maybe-promise.ts";
import { isRetryable } from "../parts/failure-code.ts";

/** When a call is made again. */
export interface Repetition<T> {
  /** Whether a thrown or rejected failure that is retryable may be repeated. Default: `true`. */
  readonly failed?: boolean;
  /** Whether a result calls for another attempt. Default: never. */
  readonly unfinished?: (result: T) => boolean;
}

/** Makes a call again until it succeeds, may not be repeated, or all attempts are used up. */
export type Repeat = <T>(run: () => MaybePromise<T>, repetition?: Repetition<T>) => MaybePromise<T>;

/**
 * Makes commits, and repeats them if that cannot apply one twice. A rejected call may have been applied: it is repeated
 * only if a second application changes nothing. After an answered call, the commits that the backend reports as not
 * applied are repeated, unless a later commit of the same call has a key in common.
 */
export function commitRepeating(
  inner: Adapter,
  namespace: Namespace,
  commits: readonly Commit[],
  repeat: Repeat,
): MaybePromise<CommitResult[]> {
  const results: CommitResult[] = [];
  /** The places, within `commits`, of those still to be made. */
  let left = commits.map((_, place) => place);

  function make(): MaybePromise<CommitResult[]> {
    const places = left;
    const again = places.length < commits.length;
    const made = () => inner.commit(namespace, again ? places.map((place) => commits[place]!) : commits);
    // The results of the commits made before stay, even if this attempt fails.
    const answered = again
      ? rescued(made, (error) => places.map(() => ({ status: "error", error })))
      : made();
    return after(answered, (answers) => {
      for (const [i, place] of places.entries()) {
        const answer = answers[i];
        if (answer !== undefined) results[place] = answer;
      }
      left = places.filter((place) => isUnapplied(inner, results[place]) && isLast(commits, place));
      return results;
    });
  }

  return repeat(make, {
    failed: commits.every(isIdempotent),
    unfinished: () => left.length > 0,
  });
}

/** Whether making it twice has the same effect as making it once. */
function isIdempotent({ checks, mutations }: Commit): boolean {
  return checks.length === 0 && mutations.every(({ type }) => type !== "increment");
}

function isUnapplied(inner: Adapter, result: CommitResult | undefined): boolean {
  return result?.status === "error" && isRetryable(inner, result.error);
}

/** Whether no later commit concerns the same keys. */
function isLast(commits: readonly Commit[], place: number): boolean {
  if (place === commits.length - 1) return true;
  const later = new Set(commits.slice(place + 1).flatMap(keysOf));
  return commits[place] !== undefined && !keysOf(commits[place]).some((key) => later.has(key));
}

function keysOf({ checks, mutations }: Commit): string[] {
  return [...checks, ...mutations].map(({ key }) => key);
}
