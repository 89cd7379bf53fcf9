import { createHash } from "node:crypto";
import type { SetTuple, Store } from "@kv/core";

/** How many entries a database has before it is damaged. */
export const ENTRIES = 400;
/** What was under every key before its value. */
export const REWRITTEN = "rewritten since";

/** Text, numbers, objects and bytes, short ones and such as take several pages; some with metadata or a deadline. */
export function valueUnder(i: number): unknown {
  const noise = createHash("shake256", { outputLength: 30 }).update(String(i)).digest();
  switch (i % 5) {
    case 0:
      return noise.toString("base64");
    case 1:
      return { id: i, name: noise.toString("hex"), tags: ["a", "b", i] };
    case 2:
      return i * 1_000_003;
    case 3:
      return new Uint8Array(noise);
    default:
      return noise.toString("hex").repeat(i % 20 === 4 ? 200 : 4);
  }
}

export function keyOf(i: number): string {
  return `key-${String(i * 7919).padStart(8, "0")}`;
}

export function metadataOf(i: number): { readonly i: number } | undefined {
  return i % 3 === 0 ? { i } : undefined;
}

/** In several commits, with rewrites and deletions in between. */
export async function fillStore(store: Store): Promise<void> {
  for (let from = 0; from < ENTRIES; from += 50) {
    const tuples = Array.from({ length: 50 }, (_, at): SetTuple<unknown> => {
      const i = from + at;
      return [keyOf(i), valueUnder(i), { metadata: metadataOf(i), ttl: i % 4 === 0 ? { days: 4000 } : null }];
    });
    await store.setMany(tuples.map(([key]) => [key, REWRITTEN]));
    await store.setMany(tuples);
    await store.set(`gone-${from}`, 1);
    await store.delete(`gone-${from}`);
  }
}
