import { isEmpty, isEverything, rangeOf, SELECTOR } from "../arguments/selector.ts";
import type { MaybePromise } from "../contract/adapter.ts";
import type { Selector } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";
import { after } from "../runtime/maybe-promise.ts";

/** How many live entries a selector names. */
export function countIn(context: ViewContext, selector: Selector | undefined): MaybePromise<number> {
  const { connection, lane } = context;
  const { limit, ...bounds } = rangeOf(selector, context.prefix, SELECTOR, "count", "keys");
  if (limit === 0 || isEmpty(bounds)) return 0;
  if (!isEverything(bounds)) context.assertOrdered("count with bounds");
  const count = lane.afterCommits(() => connection.adapter.count(lane.namespace, bounds));
  return after(count, (all) => Math.min(all, limit));
}
