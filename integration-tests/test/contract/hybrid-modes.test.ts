import { test } from "vitest";

// The suite reads this when it is loaded. Properties need few runs here, since only the place and form of values vary.
process.env["KV_TEST_THOROUGHNESS"] ??= "1";
const { describeHybridOverSqlite } = await import("../suites/hybrid-suite.ts");
const { fewer } = await import("../suites/suite-views.ts");

if (process.env["KV_TEST_FULL"] === "1") {
  // In msgpack every number would be a file: thousands of compressed ones at once take longer than a call may.
  const ways = { views: fewer, codecs: [] };
  describeHybridOverSqlite("with large values in files", { inlineBelow: 200 }, ways);
  describeHybridOverSqlite(
    "with readable, compressed files",
    { inlineBelow: 0, layout: "readable", compress: "gzip" },
    ways,
  );
} else test("hybrid in other modes", (context) => context.skip("needs KV_TEST_FULL=1"));
