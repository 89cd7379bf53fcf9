import { test } from "vitest";

// The suite reads this when it is loaded. Properties need few runs here, since only the place and form of values vary.
process.env["KV_TEST_THOROUGHNESS"] ??= "1";
const { describeHybridOverSqlite } = await import("../suites/hybrid-suite.ts");

if (process.env["KV_TEST_FULL"] === "1") {
  describeHybridOverSqlite("with large values in files", { inlineBelow: 200 });
  describeHybridOverSqlite("with readable, compressed files", {
    inlineBelow: 0,
    layout: "readable",
    compress: "gzip",
  });
} else test("hybrid in other modes", (context) => context.skip("needs KV_TEST_FULL=1"));
