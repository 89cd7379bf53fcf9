import { cpSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeConformance, type Harness } from "@kv/conformance";
import type { Adapter } from "@kv/core";
import { leveldb } from "@kv/leveldb";
import { sqlite } from "@kv/sqlite";
import { SCRATCH } from "../scratch.ts";
import { codecs, views } from "./suite-views.ts";

type Extras = Pick<Harness, "through" | "codecs">;

export function describeSqlite(extras: Extras): void {
  describeEmbedded("sqlite", extras, (directory, clock) =>
    sqlite({ path: join(directory, "store.db"), clock, watchInterval: 5 }),
  );
}

export function describeLeveldb(extras: Extras): void {
  describeEmbedded("leveldb", extras, (directory, clock) =>
    leveldb({ path: join(directory, "store"), clock }),
  );
}

/** The contract on a database in files, which is opened again over the same files. */
function describeEmbedded(
  name: string,
  extras: Extras,
  adapter: (directory: string, clock: () => number) => Adapter,
): void {
  describeConformance({
    codecs,
    ...extras,
    name,
    views,
    create() {
      const directory = mkdtempSync(join(SCRATCH, `kv-${name}-`));
      let now = 1_790_000_000_000;
      const open = () => adapter(directory, () => now);
      return {
        adapter: open(),
        reopen: open,
        backup() {
          const copy = `${directory}-backup`;
          cpSync(directory, copy, { recursive: true });
          return () => {
            rmSync(directory, { recursive: true });
            renameSync(copy, directory);
          };
        },
        clock: {
          advance(milliseconds) {
            now += milliseconds;
          },
        },
        dispose: () => rmSync(directory, { recursive: true, force: true }),
      };
    },
    settle: () => sleep(40),
  });
}
