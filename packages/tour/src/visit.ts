import { openStore, type StoreConfig } from "@kv/config";
import { type Answer, type Guide, guideInto } from "./guide.ts";
import type { Manifest } from "./manifests.ts";
import { tour } from "./tour.ts";

/** Opens a store, takes the tour through it, and returns its answers. Only the config differs between two stores. */
export async function visit(
  config: StoreConfig,
  manifests: readonly Manifest[],
  progress?: Guide["progress"],
): Promise<Answer[]> {
  const answers: Answer[] = [];
  await using store = await openStore(config);
  await tour(store, manifests, guideInto(answers, progress));
  return answers;
}
