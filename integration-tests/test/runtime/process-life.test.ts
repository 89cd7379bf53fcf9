import { setTimeout as sleep } from "node:timers/promises";
import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sharedRedisServer } from "../../services/shared.ts";
import { type Child, scratchDirectory, startChild } from "../processes/child.ts";

const server = await sharedRedisServer();
let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

const ADAPTERS = [
  "memory",
  "sqlite",
  "leveldb",
  "hybrid",
  "tiered through",
  "tiered behind",
  "redis",
  "arangodb",
] as const;

/** Long enough for a process that nothing keeps alive to end. */
const WAIT_MS = 400;

async function livesOn(child: Child): Promise<void> {
  await sleep(WAIT_MS);
  expect(child.process.exitCode).toBeNull();
}

describe.concurrent("a process lives while something is under way or watched, and ends though it forgot to close", () => {
  for (const name of ADAPTERS) {
    it(name, { timeout: 60_000 }, async (context) => {
      if (name === "redis" && "reason" in server) return context.skip(server.reason);
      const url = name === "redis" && !("reason" in server) ? server.url : emulator.url;
      const child = startChild("process-life", name, scratchDirectory(context.onTestFinished), url);
      context.onTestFinished(() => void child.process.kill("SIGKILL"));
      await child.line((line) => line === "answered long enough for a file");
      await child.line((line) => line === "iterating set");
      await livesOn(child);
      child.process.kill("SIGUSR2");
      await child.line((line) => line === "subscribed");
      await livesOn(child);
      child.process.kill("SIGUSR2");
      await child.line((line) => line === "unsubscribed");
      expect(await child.ended).toEqual({ code: 0, signal: null });
    });
  }
});
