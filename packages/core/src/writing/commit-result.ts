import type { PlannedIncrement } from "../adapter-parts/deadline.ts";
import type { CommitResult } from "../contract/adapter.ts";
import { Refusal } from "../contract/errors.ts";
import { shown } from "../contract/shown.ts";

/** Asserts that a commit without checks that could fail was applied. @throws the reason if it was not */
export function assertOk(result: CommitResult): Extract<CommitResult, { status: "ok" }> {
  switch (result.status) {
    case "ok":
      return result;
    case "error":
      throw result.error;
    case "not-a-number":
      throw notANumber(result.key);
    case "conflict":
      throw new TypeError("the adapter reported a conflict for a commit without checks");
  }
}

export function notANumber(key: string): Refusal {
  return new Refusal(
    "KV_INVALID_VALUE",
    "the stored value is not a number, or the sum is not finite or not exact (beyond 2^53); set a number first",
    { key },
  );
}

export function revisionOf(result: CommitResult): string {
  const revision = assertOk(result).outcomes[0]?.revision;
  if (revision === undefined) throw new TypeError("the adapter returned no revision for a write");
  return revision;
}

/** Whether the first mutation found its key. A failed check means that it did not. */
export function existedIn(result: CommitResult): boolean {
  return result.status !== "conflict" && assertOk(result).outcomes[0]?.existed === true;
}

/** @throws Refusal `KV_INVALID_VALUE` if `by` is not a finite number */
export function incrementOf(
  key: string,
  by: unknown,
  initial: Pick<PlannedIncrement, "expiresAt" | "policy" | "user">,
): PlannedIncrement {
  if (typeof by !== "number" || !Number.isFinite(by)) {
    throw new Refusal("KV_INVALID_VALUE", `increment adds a finite number, not ${shown(by)}`);
  }
  return { type: "increment", key, by, ...initial };
}
