import { cursorAfter, resumed } from "../arguments/cursor.ts";
import { PAGE_SELECTOR, rangeOf } from "../arguments/selector.ts";
import type { MaybePromise } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import type { Entry, Page, PageSelector } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";
import { Scan } from "./scan.ts";

/** How many entries a page has if no limit is given. */
const PAGE_LIMIT = 100;

/** One page of a range, and where the next one begins. */
export function pageOf(
  context: ViewContext,
  selector: PageSelector | undefined,
): MaybePromise<Page<unknown>> {
  const asked = rangeOf(selector, context.prefix, PAGE_SELECTOR, "page", "entries");
  const { cursor, limit = PAGE_LIMIT } = selector ?? {};
  const range = cursor === undefined ? asked : resumed(asked, cursor, context.prefix);
  if (limit === 0) return { entries: [] };
  // One entry beyond the page shows whether it is the last. Entries that cannot be decoded count for the cursor, too.
  let read = 0;
  let last: string | undefined;
  const scan = new Scan(context, "page", { ...range, limit: limit + 1 }, selector ?? {}, (entry) => {
    if (++read > limit) return undefined;
    last = context.keyOf(entry.key);
    return context.entry(entry);
  });
  const page = (found: (Entry<unknown> | undefined)[]): Page<unknown> => {
    const entries = found.filter((entry) => entry !== undefined);
    return read > limit && last !== undefined
      ? { entries, cursor: cursorAfter(last, range.reverse) }
      : { entries };
  };
  const found = scan.all();
  return isPromise(found) ? found.then(page) : page(found);
}
