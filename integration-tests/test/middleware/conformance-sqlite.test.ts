import { test } from "vitest";
import { describeSqlite } from "../embedded-suite.ts";
import { others } from "./through.ts";

if (process.env["KV_TEST_FULL"] === "1") describeSqlite({ through: others });
else test("SQLite through the other middleware", (context) => context.skip("needs KV_TEST_FULL=1"));
