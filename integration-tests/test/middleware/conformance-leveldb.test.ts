import { test } from "vitest";
import { describeLeveldb } from "../embedded-suite.ts";
import { others } from "./through.ts";

if (process.env["KV_TEST_FULL"] === "1") describeLeveldb({ through: others });
else test("LevelDB through the other middleware", (context) => context.skip("needs KV_TEST_FULL=1"));
