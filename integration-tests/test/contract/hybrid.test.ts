import { test } from "vitest";
import { describeHybridOverMemory, describeHybridOverSqlite } from "../suites/hybrid-suite.ts";

describeHybridOverSqlite("with everything in files", { inlineBelow: 0 });
if (process.env["KV_TEST_FULL"] === "1")
  describeHybridOverMemory("with everything in files", { inlineBelow: 0 });
else test("hybrid over memory", (context) => context.skip("needs KV_TEST_FULL=1"));
