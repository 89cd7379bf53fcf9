import { join } from "node:path";
import type { Adapter } from "@kv/core";

/** The adapters whose entries survive the process, by name. */
export const PERSISTENT = ["sqlite", "leveldb"] as const;
export type Persistent = (typeof PERSISTENT)[number];

export interface PersistentOptions {
  readonly durability?: "fast" | "full" | undefined;
  readonly clock?: (() => number) | undefined;
}

/**
 * One of them over the data in a directory; `"hybrid"` with everything in files; `"tiered"`: SQLite written behind LevelDB.
 * Nothing else is loaded.
 */
export async function persistentAdapter(
  name: string,
  directory: string,
  options: PersistentOptions = {},
): Promise<Adapter> {
  switch (name) {
    case "sqlite": {
      const { sqlite } = await import("@kv/sqlite");
      return sqlite({ path: join(directory, "store.db"), ...options });
    }
    case "leveldb": {
      const { leveldb } = await import("@kv/leveldb");
      return leveldb({ path: join(directory, "store"), ...options });
    }
    case "hybrid":
    case "hybrid readable": {
      const { sqlite } = await import("@kv/sqlite");
      const { hybrid } = await import("@kv/hybrid");
      const index = sqlite({ path: join(directory, "store.db"), ...options });
      const layout = name === "hybrid" ? "content" : "readable";
      const { durability } = options;
      return hybrid({ index, directory: join(directory, "files"), inlineBelow: 0, layout, durability });
    }
    case "tiered": {
      const { tiered } = await import("@kv/tiered");
      const near = await persistentAdapter("leveldb", directory, options);
      const far = await persistentAdapter("sqlite", directory, options);
      return tiered({ near, far, write: "behind" });
    }
    default:
      throw new Error(`no persistent adapter is called ${name}`);
  }
}
