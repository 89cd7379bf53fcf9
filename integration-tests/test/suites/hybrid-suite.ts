import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describeConformance, type Harness, type Setup } from "@kv/conformance";
import type { Adapter } from "@kv/core";
import { type HybridOptions, hybrid } from "@kv/hybrid";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { SCRATCH } from "../scratch.ts";
import { codecs, views } from "./suite-views.ts";

/** How files are kept, but for where. */
export type Files = Omit<HybridOptions, "index" | "directory">;

/** What an adapter of the suite is made of. */
export interface Place {
  readonly directory: string;
  readonly clock: () => number;
}

export interface Index extends Pick<Harness, "settle" | "views" | "codecs"> {
  /** Whether what was written is there when it is opened again. */
  readonly persists: boolean;
  /** Whether its clock is the one that it is given. */
  readonly keepsTime: boolean;
}

/** The contract on files beside whatever index. */
export function describeHybrid(
  name: string,
  adapter: (place: Place) => Adapter,
  { persists, keepsTime, ...harness }: Index,
): void {
  describeConformance({
    views,
    codecs,
    ...harness,
    name,
    create(): Setup {
      const directory = mkdtempSync(join(SCRATCH, "kv-hybrid-"));
      let now = 1_790_000_000_000;
      const open = () => adapter({ directory, clock: () => now });
      const advance = (milliseconds: number): void => {
        now += milliseconds;
      };
      return {
        adapter: open(),
        ...(persists ? { reopen: open } : {}),
        ...(keepsTime ? { clock: { advance } } : {}),
        dispose: () => rmSync(directory, { recursive: true }),
      };
    },
  });
}

/** `ways`: the views and codecs, where they are not those of an adapter's main setting. */
export function describeHybridOverSqlite(
  mode: string,
  options: Files,
  ways: Pick<Harness, "views" | "codecs"> = {},
): void {
  describeHybrid(
    `hybrid over sqlite ${mode}`,
    ({ directory, clock }) =>
      hybrid({
        index: sqlite({ path: join(directory, "index.db"), clock }),
        directory: join(directory, "files"),
        ...options,
      }),
    { persists: true, keepsTime: true, ...ways },
  );
}

export function describeHybridOverMemory(mode: string, options: Files): void {
  describeHybrid(
    `hybrid over memory ${mode}`,
    ({ directory, clock }) =>
      hybrid({ index: memory({ clock }), directory: join(directory, "files"), ...options }),
    { persists: false, keepsTime: true },
  );
}
