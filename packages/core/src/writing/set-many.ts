import type { PlannedCommit } from "../adapter-parts/deadline.ts";
import { isIterable, listed } from "../arguments/iterables.ts";
import { type Envelope, over, SET_OPTIONS } from "../arguments/write-options.ts";
import type { CommitResult, MaybePromise } from "../contract/adapter.ts";
import { isArray, isPromise } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";
import type { SetOptions, SetTuple } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";
import { all } from "../runtime/maybe-promise.ts";
import { revisionOf } from "./commit-result.ts";
import type { Writing } from "./set-mutation.ts";

interface Item {
  readonly key: string;
  readonly value: unknown;
  readonly around: Envelope;
}

/** Sets every entry, after all of them were validated. Returns their revisions. */
export function setEach(
  context: ViewContext,
  writing: Writing,
  entries: Iterable<SetTuple<unknown>>,
  options: SetOptions | undefined,
): MaybePromise<string[]> {
  const common = writing.envelope(options, SET_OPTIONS, "setMany");
  if (!isIterable(entries)) {
    throw new Refusal("KV_INVALID_OPTION", "setMany needs an array, a Map or another iterable of tuples");
  }
  const items = listed(entries, "entries").map((tuple): Item => {
    if (!isArray(tuple) || tuple.length < 2) {
      throw new Refusal("KV_INVALID_OPTION", "an entry of setMany must be a tuple [key, value, options?]");
    }
    const [key, value, own] = tuple as SetTuple<unknown>;
    const fault = context.writeRefusal(key);
    if (fault !== undefined) throw context.error(fault, "setMany", typeof key === "string" ? key : undefined);
    const around =
      own === undefined
        ? common
        : ofKey(context, key, () => writing.envelope(over(options, own), SET_OPTIONS, "setMany"));
    return { key, value, around };
  });
  if (items.length === 0) return [];
  const commitAll = (values: readonly unknown[]) =>
    commitEach(context, writing, items, values, options?.signal);
  if (!context.hasSchema) return commitAll(items.map(({ value }) => value));
  const inputs = all(items, ({ key, value }) => {
    const input = ofKey(context, key, () => context.input(value));
    return isPromise(input) ? input.catch((error: unknown) => context.fail(error, "setMany", key)) : input;
  });
  return isPromise(inputs) ? writing.late(inputs, commitAll) : commitAll(inputs);
}

function commitEach(
  context: ViewContext,
  writing: Writing,
  items: readonly Item[],
  values: readonly unknown[],
  signal: AbortSignal | undefined,
): MaybePromise<string[]> {
  const commits = items.map(({ key, around }, i): PlannedCommit => {
    const mutation = ofKey(context, key, () => writing.mutation(context.prefix + key, values[i], around));
    return { checks: [], mutations: [mutation] };
  });
  const results = context.lane.commit(commits, signal);
  const revisions = (all: readonly CommitResult[]) =>
    all.map((result, i) =>
      result.status === "ok" ? revisionOf(result) : ofKey(context, items[i]?.key, () => revisionOf(result)),
    );
  return isPromise(results) ? results.then(revisions) : revisions(results);
}

/** Runs a step and names the key in its error. */
function ofKey<T>(context: ViewContext, key: string | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw context.error(error, "setMany", key);
  }
}
