import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeConformance, type Setup } from "@kv/conformance";
import type { Adapter } from "@kv/core";
import { type HybridOptions, hybrid } from "@kv/hybrid";
import { redisHybrid } from "@kv/hybrid/redis";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { test } from "vitest";
import { sharedRedisServers } from "../services/shared.ts";

type Files = Omit<HybridOptions, "index">;

/** What goes where. */
const MODES: Readonly<Record<string, Omit<Files, "directory">>> = {
  "with everything in files": { inlineBelow: 0 },
  "with large values in files": { inlineBelow: 200 },
  "with readable, compressed files": { inlineBelow: 0, layout: "readable", compress: "gzip" },
};
const FULL = process.env["KV_TEST_FULL"] === "1";
/** Thousands of directories are made: in memory, where there is such a file system. */
const SCRATCH = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A fresh directory, and an adapter over it, opened again over the same data where that `persists`. */
function setup(persists: boolean, adapter: (directory: string, clock: () => number) => Adapter): Setup {
  const directory = mkdtempSync(join(SCRATCH, "kv-hybrid-"));
  let now = 1_790_000_000_000;
  const open = () => adapter(directory, () => now);
  const advance = (milliseconds: number): void => {
    now += milliseconds;
  };
  const dispose = (): void => rmSync(directory, { recursive: true });
  return { adapter: open(), ...(persists ? { reopen: open } : {}), clock: { advance }, dispose };
}

for (const [mode, options] of Object.entries(MODES)) {
  const files = (directory: string): Files => ({ directory: join(directory, "files"), ...options });
  describeOr(`hybrid over sqlite ${mode}`, FULL || mode === "with everything in files", (name) => {
    describeConformance({
      name,
      create: () =>
        setup(true, (directory, clock) =>
          hybrid({ index: sqlite({ path: join(directory, "index.db"), clock }), ...files(directory) }),
        ),
    });
  });
  if (mode !== "with everything in files") continue;
  describeOr(`hybrid over memory ${mode}`, FULL, (name) => {
    describeConformance({
      name,
      create: () =>
        setup(false, (directory, clock) => hybrid({ index: memory({ clock }), ...files(directory) })),
    });
  });
}

for (const server of FULL ? await sharedRedisServers() : []) {
  const name = `hybrid over redis by ${server.how ?? "any means"} with everything in files`;
  if ("reason" in server) {
    test(name, (context) => context.skip(String(server.reason)));
    continue;
  }
  describeConformance({
    name,
    create() {
      const prefix = `conformance-${randomUUID()}:`;
      const { adapter, reopen, dispose } = setup(true, (directory) =>
        redisHybrid({ url: server.url, prefix, directory: join(directory, "files"), inlineBelow: 0 }),
      );
      // The server's clock is its own.
      return { adapter, ...(reopen && { reopen }), ...(dispose && { dispose }) };
    },
    settle: () => sleep(100),
  });
}

function describeOr(name: string, runs: boolean, describeIt: (name: string) => void): void {
  if (runs) describeIt(name);
  else test(name, (context) => context.skip("needs KV_TEST_FULL=1"));
}
