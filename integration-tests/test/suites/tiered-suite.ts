import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeConformance, type Harness } from "@kv/conformance";
import type { Adapter } from "@kv/core";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { type TieredOptions, tiered } from "@kv/tiered";
import { SCRATCH } from "../scratch.ts";
import { codecs, views } from "./suite-views.ts";

/** What is under test, beside the near tier. */
export interface Tiers extends Pick<Harness, "deviations"> {
  readonly write: TieredOptions["write"];
  readonly far: "sqlite" | "memory";
  /** Whether what was acknowledged is there when it is opened again. */
  readonly reopens: boolean;
}

/** The contract on a near tier over a far one that no other process has. */
export function describeTiered(
  name: string,
  near: (directory: string) => Adapter,
  { write, far, reopens, ...harness }: Tiers,
): void {
  describeConformance({
    ...harness,
    name,
    views,
    codecs,
    // Memory tells of a change as it makes it, and what the adapter does then takes no timers.
    ...(far === "memory" ? { settle: () => sleep(5) } : {}),
    create() {
      const directory = mkdtempSync(join(SCRATCH, "kv-tiered-"));
      let now = 1_790_000_000_000;
      const clock = () => now;
      const path = join(directory, "far.db");
      const below = () => (far === "memory" ? memory({ clock }) : sqlite({ path, clock, watchInterval: 5 }));
      const open = () => tiered({ near: near(directory), far: below(), write });
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
