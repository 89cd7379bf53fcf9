import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeConformance } from "@kv/conformance";
import { leveldb } from "@kv/leveldb";
import { through } from "./through.ts";

/** Those that do most to what is stored, or when; with `KV_TEST_FULL=1` all. */
const foremost = ["bounded", "fallback that degrades", "compression over encryption"];

describeConformance({
  name: "leveldb",
  create() {
    let now = Date.now();
    const directory = mkdtempSync(join(tmpdir(), "kv-middleware-"));
    const open = () => leveldb({ path: join(directory, "store"), clock: () => now });
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
  through: through.filter(({ title }) => process.env["KV_TEST_FULL"] === "1" || foremost.includes(title)),
});
