import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeConformance } from "@kv/conformance";
import { leveldb } from "@kv/leveldb";

describeConformance({
  name: "leveldb",
  create() {
    const directory = mkdtempSync(join(tmpdir(), "kv-leveldb-"));
    let now = 1_790_000_000_000;
    const open = () => leveldb({ path: join(directory, "store"), clock: () => now });
    return {
      adapter: open(),
      reopen: open,
      clock: {
        advance(milliseconds) {
          now += milliseconds;
        },
      },
      dispose: () => rmSync(directory, { recursive: true }),
    };
  },
});
