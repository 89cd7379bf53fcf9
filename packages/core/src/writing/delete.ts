import { refuseAborted, signalOf } from "../arguments/signal.ts";
import { refuseUnknownOptions } from "../arguments/unknown-options.ts";
import type { Commit, MaybePromise } from "../contract/adapter.ts";
import { Refusal } from "../contract/errors.ts";
import type { DeleteOptions, SignalOptions } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";
import { after } from "../runtime/maybe-promise.ts";
import { existedIn } from "./commit-result.ts";

const DELETE_OPTIONS: ReadonlySet<string> = new Set(["revision", "signal"]);

/** Returns whether there was a live entry, of the given revision if one is given. */
export function deleteEntry(
  context: ViewContext,
  key: string,
  options: DeleteOptions | undefined,
): MaybePromise<boolean> {
  refuseUnknownOptions(options, DELETE_OPTIONS, "delete");
  refuseAborted(options?.signal);
  const revision: unknown = options?.revision;
  if (revision !== undefined && typeof revision !== "string") {
    throw new Refusal("KV_INVALID_OPTION", "revision must be a string");
  }
  const checks = revision === undefined ? [] : [{ key, revision }];
  return after(
    context.lane.commitOne({ checks, mutations: [{ type: "delete", key }] }, options?.signal),
    existedIn,
  );
}

/** Returns how many of the keys had a live entry. */
export function deleteEach(
  context: ViewContext,
  keys: Iterable<string>,
  options: SignalOptions | undefined,
): MaybePromise<number> {
  signalOf(options, "deleteMany");
  const commits = context.storedKeys(keys).map((key): Commit => {
    return { checks: [], mutations: [{ type: "delete", key }] };
  });
  if (commits.length === 0) return 0;
  return after(context.lane.commit(commits, options?.signal), (results) => results.filter(existedIn).length);
}
