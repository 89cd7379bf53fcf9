import { test } from "vitest";
import { others } from "../../suites/through.ts";

// The suite reads this when it is loaded. Properties need few runs here, since only the middleware varies.
process.env["KV_TEST_THOROUGHNESS"] ??= "1";
const { describeLeveldb } = await import("../../suites/embedded-suite.ts");

if (process.env["KV_TEST_FULL"] === "1") describeLeveldb({ through: others });
else test("LevelDB through the other middleware", (context) => context.skip("needs KV_TEST_FULL=1"));
