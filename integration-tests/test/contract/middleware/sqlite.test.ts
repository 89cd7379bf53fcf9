import { test } from "vitest";
import { others } from "../../suites/through.ts";

// The suite reads this when it is loaded. Properties need few runs here, since only the middleware varies.
process.env["KV_TEST_THOROUGHNESS"] ??= "1";
const { describeSqlite } = await import("../../suites/embedded-suite.ts");

if (process.env["KV_TEST_FULL"] === "1") describeSqlite({ through: others });
else test("SQLite through the other middleware", (context) => context.skip("needs KV_TEST_FULL=1"));
