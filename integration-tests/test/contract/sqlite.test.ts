import { msgpack } from "@kv/msgpack";
import { describeSqlite } from "../suites/embedded-suite.ts";
import { foremost } from "../suites/through.ts";

describeSqlite({
  codecs: [msgpack],
  through: process.env["KV_TEST_FULL"] === "1" ? foremost : [],
});
