import { describeConformance } from "@kv/conformance";
import { memory } from "@kv/memory";
import { through } from "./through.ts";

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
  through,
});
