import { describeConformance } from "@kv/conformance";
import { memory } from "@kv/memory";

describeConformance({
  name: "memory",
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
