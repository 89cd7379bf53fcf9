import { describeLeveldb } from "../suites/embedded-suite.ts";
import { foremost } from "../suites/through.ts";

describeLeveldb({ through: process.env["KV_TEST_FULL"] === "1" ? foremost : [] });
