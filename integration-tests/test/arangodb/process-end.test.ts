import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startChild } from "../processes/child.ts";

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
  // No answer to what is read comes to an end.
  emulator.intercept(async (request, proceed) => {
    const isRead = request.query.includes("FILTER d._key IN @ids AND");
    return isRead ? { stalled: await proceed() } : proceed();
  });
});
afterAll(() => emulator.close());

describe("a process that forgot to close its store", () => {
  test.each(["used", "watched", "stalled"])("ends by itself: %s", { timeout: 60_000 }, async (how) => {
    const child = startChild("forget-arangodb", emulator.url, how);
    await child.line((line) => line === "done");
    const done = performance.now();
    expect(await child.ended).toEqual({ code: 0, signal: null });
    // Sockets that are kept for later requests, timers of looks and leases: none of them counts.
    expect(performance.now() - done).toBeLessThan(8000);
  });
});
