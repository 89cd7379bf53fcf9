import { join } from "node:path";
import { leveldb } from "@kv/leveldb";
import { memory } from "@kv/memory";
import { test } from "vitest";
import { describeTiered } from "../suites/tiered-suite.ts";

const inMemory = { far: "memory", reopens: false } as const;
describeTiered("tiered through memory/memory", () => memory(), { write: "through", ...inMemory });
describeTiered("tiered behind memory/memory", () => memory(), { write: "behind", ...inMemory });

if (process.env["KV_TEST_FULL"] === "1") {
  describeTiered("tiered behind leveldb/sqlite", (directory) => leveldb({ path: join(directory, "near") }), {
    write: "behind",
    far: "sqlite",
    reopens: true,
  });
} else test("tiered behind LevelDB over SQLite", (context) => context.skip("needs KV_TEST_FULL=1"));
