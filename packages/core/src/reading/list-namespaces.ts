import { pageIterator } from "../adapter-parts/answers.ts";
import { refuseAborted } from "../arguments/signal.ts";
import { refuseUnknownOptions } from "../arguments/unknown-options.ts";
import { isPromise } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";
import { comparePaths } from "../contract/namespace.ts";
import { shown } from "../contract/shown.ts";
import type { ListNamespacesOptions } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";

const OPTIONS: ReadonlySet<string> = new Set(["prefix", "depth", "signal"]);

/** The paths below a view's namespace that hold a live entry, relative to it and sorted. */
export async function namespacesBelow(
  context: ViewContext,
  options: ListNamespacesOptions | undefined,
): Promise<string[][]> {
  refuseUnknownOptions(options, OPTIONS, "listNamespaces");
  refuseAborted(options?.signal);
  const { prefix = "", depth = Number.POSITIVE_INFINITY } = options ?? {};
  if (typeof prefix !== "string") throw new Refusal("KV_INVALID_OPTION", "prefix must be a string");
  if (depth !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(depth) && depth > 0)) {
    throw new Refusal(
      "KV_INVALID_OPTION",
      `depth must be a positive integer or Infinity, not ${shown(depth)}`,
    );
  }
  const { connection, settings } = context;
  const { namespace } = settings;
  const settled = Promise.all(settings.lanes.within(namespace).map((lane) => lane.settled()));
  const found: string[][] = [];
  const pages = pageIterator(
    await connection.limits.after(settled, () =>
      connection.continue(() => connection.call(() => connection.adapter.namespaces(namespace))),
    ),
  );
  for (;;) {
    const step = connection.continue(() => connection.call(() => pages.next()));
    const { done, value } = isPromise(step) ? await step : step;
    if (done === true) break;
    for (const { path } of value) {
      const relative = path.slice(namespace.path.length);
      if (relative.length <= depth && relative[0]?.startsWith(prefix)) found.push(relative);
    }
    // Pages that come synchronously would block the event loop until the last one.
    await context.pace.breathe();
    refuseAborted(options?.signal);
  }
  return found.sort(comparePaths);
}
