import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeConformance } from "@kv/conformance";
import { sqlite } from "@kv/sqlite";

describeConformance({
  name: "sqlite",
  create() {
    const directory = mkdtempSync(join(tmpdir(), "kv-sqlite-"));
    let now = 1_790_000_000_000;
    const open = () => sqlite({ path: join(directory, "store.db"), clock: () => now });
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
