import { describeSqlite } from "./embedded-suite.ts";
import { foremost } from "./middleware/through.ts";

describeSqlite({ through: process.env["KV_TEST_FULL"] === "1" ? foremost : foremost.slice(-1) });
