import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeConformance } from "@kv/conformance";
import { sqlite } from "@kv/sqlite";
import { through } from "./through.ts";

/** Those that do most to what is stored, or when; with `KV_TEST_FULL=1` all. */
const foremost = ["bounded", "fallback that degrades", "compression over encryption"];

describeConformance({
  name: "sqlite",
  create() {
    let now = Date.now();
    const directory = mkdtempSync(join(tmpdir(), "kv-middleware-"));
    const open = () => sqlite({ path: join(directory, "store.db"), clock: () => now, watchInterval: 5 });
    return {
      adapter: open(),
      reopen: open,
      clock: {
        advance(milliseconds) {
          now += milliseconds;
        },
      },
      dispose: () => rmSync(directory, { recursive: true, force: true }),
    };
  },
  settle: () => new Promise((resolve) => setTimeout(resolve, 40)),
  through: through.filter(({ title }) => process.env["KV_TEST_FULL"] === "1" || foremost.includes(title)),
});
