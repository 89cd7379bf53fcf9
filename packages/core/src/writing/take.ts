import { refuseAborted, signalOf } from "../arguments/signal.ts";
import type { MaybePromise } from "../contract/adapter.ts";
import type { SignalOptions } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";
import { assertOk } from "./commit-result.ts";

/** Deletes an entry and returns its value; `undefined` if there was none. Among concurrent calls one gets it. */
export function takeEntry(
  context: ViewContext,
  key: string,
  options: SignalOptions | undefined,
): MaybePromise<unknown> {
  signalOf(options, "take");
  return context.lane.section([key], async (direct) => {
    for (;;) {
      const [entry] = await direct.read([key]);
      if (entry === undefined) return undefined;
      // Decoded before it is deleted, so that an entry that cannot be read stays.
      const value = await context.value(entry);
      refuseAborted(options?.signal);
      const checks = [{ key, revision: entry.revision }];
      const result = await direct.commit({ checks, mutations: [{ type: "delete", key }] });
      if (result.status === "conflict") continue;
      assertOk(result);
      return value;
    }
  });
}
