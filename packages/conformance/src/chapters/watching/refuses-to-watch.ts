import type { Context } from "../../suite/context.ts";

/** What every case of this chapter asserts instead where the backend cannot watch. */
export async function refusesToWatch({ store, refused }: Context): Promise<void> {
  await refused("KV_UNSUPPORTED", () => store.watch().next(), { operation: "watch" });
  await refused("KV_UNSUPPORTED", () => store.subscribe(() => undefined), { operation: "subscribe" });
}
