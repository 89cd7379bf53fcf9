import { describeLeveldb } from "./embedded-suite.ts";
import { foremost } from "./middleware/through.ts";

describeLeveldb({ through: process.env["KV_TEST_FULL"] === "1" ? foremost : [] });
