import { describeConformance } from "@kv/conformance";
import { memory } from "@kv/memory";
import { msgpack } from "@kv/msgpack";
import { late } from "../../suites/late.ts";
import { stacked, through } from "../../suites/through.ts";

describeConformance({
  name: "memory",
  create() {
    let now = Date.now();
    return {
      adapter: memory({ clock: () => now }),
      clock: {
        advance(milliseconds) {
          now += milliseconds;
        },
      },
    };
  },
  codecs: [msgpack],
  through: [
    { title: "a line that takes its time", wrap: late },
    ...(process.env["KV_TEST_FULL"] === "1" ? through : stacked),
  ],
});
