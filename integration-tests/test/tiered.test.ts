import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeConformance } from "@kv/conformance";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { tiered } from "@kv/tiered";

  name: "tiered through memory/sqlite",
  create() {
    const directory = mkdtempSync(join(tmpdir(), "kv-tiered-"));
    let now = 1_790_000_000_000;
    const open = () =>
      tiered({
        near: memory(),
        far: sqlite({ path: join(directory, "store.db"), clock: () => now, watchInterval: 5 }),
      });
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
