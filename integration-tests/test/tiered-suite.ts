import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeConformance, type Harness } from "@kv/conformance";
import type { Adapter } from "@kv/core";
import { sqlite } from "@kv/sqlite";
import { type TieredOptions, tiered } from "@kv/tiered";

/** The contract on a near tier over SQLite. */
export function describeTiered(
  name: string,
  near: (directory: string) => Adapter,
  { write, reopens }: Pick<TieredOptions, "write"> & { readonly reopens: boolean },
  harness: Pick<Harness, "deviations"> = {},
): void {
  describeConformance({
    ...harness,
    name,
    create() {
      const directory = mkdtempSync(join(tmpdir(), "kv-tiered-"));
      let now = 1_790_000_000_000;
      const open = () => {
        const far = sqlite({ path: join(directory, "store.db"), clock: () => now, watchInterval: 5 });
        return tiered({ near: near(directory), far, write });
      };
      return {
        adapter: open(),
        ...(reopens ? { reopen: open } : {}),
        clock: {
          advance(milliseconds) {
            now += milliseconds;
          },
        },
        dispose: () => rmSync(directory, { recursive: true }),
      };
    },
  });
}
