import { describeConformance } from "@kv/conformance";
import { memory } from "@kv/memory";
import { late } from "./late.ts";

describeConformance({
  name: "memory",
  through: [{ title: "a line that takes its time", wrap: late }],
  create() {
    let now = 1_790_000_000_000;
    return {
      adapter: memory({ clock: () => now }),
      clock: {
        advance(milliseconds) {
          now += milliseconds;
        },
      },
    };
  },
});
