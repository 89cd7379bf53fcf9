import { memory } from "@kv/memory";
import { test } from "vitest";
import { describeTiered } from "../suites/tiered-suite.ts";

if (process.env["KV_TEST_FULL"] === "1") {
  describeTiered("tiered through memory/sqlite", () => memory(), {
    write: "through",
    far: "sqlite",
    reopens: true,
  });
  // Writes that a near tier in memory acknowledged but did not flush are lost with the process.
  describeTiered("tiered behind memory/sqlite", () => memory(), {
    write: "behind",
    far: "sqlite",
    reopens: false,
  });
} else test("tiered memory over SQLite", (context) => context.skip("needs KV_TEST_FULL=1"));
