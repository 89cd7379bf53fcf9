import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeConformance } from "@kv/conformance";
import type { Adapter } from "@kv/core";
import { type HybridOptions, hybrid } from "@kv/hybrid";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";

type Index = (directory: string, clock: () => number) => Adapter;

const INDEXES: Readonly<Record<string, Index>> = {
  memory: (_, clock) => memory({ clock }),
  sqlite: (directory, clock) => sqlite({ path: join(directory, "index.db"), clock }),
};

/** Everything in files; as it is used; and everything that hybrid can do to a file. */
const MODES: Readonly<Record<string, Omit<HybridOptions, "index" | "directory">>> = {
  "with everything in files": { inlineBelow: 0 },
  "with large values in files": { inlineBelow: 200 },
  "with readable, compressed files": { inlineBelow: 0, layout: "readable", compress: "gzip" },
};

for (const [indexName, index] of Object.entries(INDEXES)) {
  for (const [mode, options] of Object.entries(MODES)) {
    describeConformance({
      name: `hybrid over ${indexName} ${mode}`,
      create() {
        const directory = mkdtempSync(join(tmpdir(), "kv-hybrid-"));
        let now = 1_790_000_000_000;
        const open = () =>
          hybrid({ index: index(directory, () => now), directory: join(directory, "files"), ...options });
        return {
          adapter: open(),
          ...(indexName === "memory" ? {} : { reopen: open }),
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
}
