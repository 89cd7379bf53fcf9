import { type Chapter, watching as canWatch } from "../suite/chapter.ts";
import type { Context } from "../suite/context.ts";
import { watchEnds } from "./watching/watch-ends.ts";
import { watchSelection } from "./watching/watch-selection.ts";
import { watchedChanges } from "./watching/watched-changes.ts";

/** What must hold of every case of this chapter where the backend cannot watch. */
async function refusesToWatch({ store, refused }: Context): Promise<void> {
  await refused("KV_UNSUPPORTED", () => store.watch().next(), { operation: "watch" });
  await refused("KV_UNSUPPORTED", () => store.subscribe(() => undefined), { operation: "subscribe" });
}

export const watching: Chapter = {
  title: "watching",
  cases: [...watchedChanges, ...watchSelection, ...watchEnds].map((one) => ({
    ...one,
    requires: canWatch,
    whenMissing: refusesToWatch,
  })),
};
