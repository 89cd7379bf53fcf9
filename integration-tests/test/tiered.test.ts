import { join } from "node:path";
import { leveldb } from "@kv/leveldb";
import { memory } from "@kv/memory";
import { test } from "vitest";
import { describeTiered } from "./tiered-suite.ts";

const inMemory = { far: "memory", reopens: false } as const;
describeTiered("tiered through memory/memory", () => memory(), { write: "through", ...inMemory });
describeTiered("tiered behind memory/memory", () => memory(), { write: "behind", ...inMemory });

if (process.env["KV_TEST_FULL"] === "1") {
  describeTiered("tiered through memory/sqlite", () => memory(), {
    write: "through",
    far: "sqlite",
    reopens: true,
  });
  // What a near tier of memory has acknowledged and not flushed goes with the process.
  describeTiered("tiered behind memory/sqlite", () => memory(), {
    write: "behind",
    far: "sqlite",
    reopens: false,
  });
  describeTiered("tiered behind leveldb/sqlite", (directory) => leveldb({ path: join(directory, "near") }), {
    write: "behind",
    far: "sqlite",
    reopens: true,
  });
} else test("tiered over SQLite", (context) => context.skip("needs KV_TEST_FULL=1"));
