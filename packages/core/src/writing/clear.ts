import { pageIterator } from "../adapter-parts/answers.ts";
import { CLEAR_SELECTOR, isEmpty, isEverything, rangeOf } from "../arguments/selector.ts";
import { refuseAborted } from "../arguments/signal.ts";
import type { MaybePromise, Policy, Range } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";
import type { ClearSelector } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";
import type { Direct } from "../order/lane.ts";
import { existedIn } from "./commit-result.ts";

/** Removes a range, of one policy or of both. Returns how many live entries were removed. */
export function removeRange(
  context: ViewContext,
  selector: ClearSelector | undefined,
  policy?: Policy,
  given?: AbortSignal,
): MaybePromise<number> {
  const { connection, lane } = context;
  const { adapter } = connection;
  const range = rangeOf(selector, context.prefix, CLEAR_SELECTOR, "clear", "keys");
  const descendants = withNamespaces(context, selector);
  const signal = given ?? selector?.signal;
  if (range.limit === 0 || isEmpty(range)) return 0;
  if (range.limit !== Number.POSITIVE_INFINITY || !isEverything(range))
    context.assertOrdered("clear with bounds");
  const lanes = () => (descendants ? context.settings.lanes.within(lane.namespace) : [lane]);
  return lane.whole(lanes, (direct) => {
    // An operation that was aborted while it waited is not begun.
    refuseAborted(signal);
    if (range.limit !== Number.POSITIVE_INFINITY) return removeSome(context, range, direct, signal);
    const { start, end } = range;
    const cleared = adapter.clear(lane.namespace, { start, end, policy, descendants });
    return isPromise(cleared) ? direct.guardWrite(cleared) : cleared;
  });
}

/** @throws Refusal `KV_INVALID_OPTION` */
function withNamespaces(context: ViewContext, selector: ClearSelector | undefined): boolean {
  const namespaces: unknown = selector?.namespaces;
  if (namespaces === undefined || namespaces === false) return false;
  if (namespaces !== true) throw new Refusal("KV_INVALID_OPTION", "namespaces must be true or false");
  const others = Object.entries(selector ?? {}).some(
    ([name, value]) => value !== undefined && name !== "namespaces" && name !== "signal",
  );
  if (others || context.prefix !== "") {
    throw new Refusal(
      "KV_INVALID_OPTION",
      "namespaces: true clears a whole namespace; give no bounds with it, and call it outside of a scope",
    );
  }
  return true;
}

/** The first (with `reverse`, last) so many of a range: their keys are read, then deleted, page by page. */
async function removeSome(
  context: ViewContext,
  range: Range,
  direct: Direct,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { connection, lane } = context;
  let left = range.limit;
  let removed = 0;
  const pages = pageIterator(connection.adapter.scan(lane.namespace, range));
  try {
    while (left > 0) {
      refuseAborted(signal);
      const step = pages.next();
      const { done, value } = isPromise(step) ? await direct.guard(step) : step;
      if (done === true) break;
      for (const { key } of value.slice(0, left)) {
        if (existedIn(await direct.commit({ checks: [], mutations: [{ type: "delete", key }] }))) removed++;
      }
      left -= value.length;
      await connection.pace.breathe();
    }
  } finally {
    const returned = pages.return?.();
    if (isPromise(returned)) await connection.guard(returned);
  }
  return removed;
}
