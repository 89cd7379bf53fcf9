import { join } from "node:path";
import type { Contender } from "../../workload/contender.ts";
import { kvSubject } from "./kv-subject.ts";

function kvTiered(write: "through" | "behind", note: string): Contender {
  return {
    name: "@kv/tiered",
    role: "ours",
    packages: ["@kv/core", "@kv/tiered", "@kv/memory", "@kv/sqlite"],
    note,
    async open(folder) {
      const [{ createStore }, { tiered }, { memory }, { sqlite }] = await Promise.all([
        import("@kv/core"),
        import("@kv/tiered"),
        import("@kv/memory"),
        import("@kv/sqlite"),
      ]);
      const far = sqlite({ path: join(folder, `tiered-${write}.db`) });
      // Beyond this many waiting changes, a caller that writes without a pause is slowed to the pace of the far tier.
      return kvSubject(createStore(tiered({ near: memory(), far, write }), { timeout: null }));
    },
  };
}

export const kvThrough: Contender = kvTiered("through", "acknowledged when SQLite has it");
export const kvBehind: Contender = kvTiered("behind", "acknowledged when memory has it");
