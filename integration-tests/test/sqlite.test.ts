import { msgpack } from "@kv/msgpack";
import { describeSqlite } from "./embedded-suite.ts";
import { foremost } from "./middleware/through.ts";

describeSqlite({
  codecs: [msgpack],
  through: process.env["KV_TEST_FULL"] === "1" ? foremost : foremost.slice(-1),
});
