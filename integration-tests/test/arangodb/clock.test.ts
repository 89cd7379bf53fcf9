import { arangodb } from "@kv/arangodb";
import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { createStore, type Store } from "@kv/core";
import { Database } from "arangojs";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";

// Before anything is imported: this machine's clock, which tests can set. The server has its own.
const wall = vi.hoisted(() => {
  const real = Date.now.bind(Date);
  const clock = { ahead: 0 };
  Date.now = () => real() + clock.ahead;
  return clock;
});

const TTL = 60_000;
/** Milliseconds that a deadline may be off. */
const TOLERANCE = 100;

let emulator: Emulator;
let database: Database;
beforeAll(async () => {
  emulator = await startEmulator({ clock: () => performance.timeOrigin + performance.now() });
  database = new Database({ url: emulator.url });
});
beforeEach(() => {
  wall.ahead = 0;
});
afterAll(() => emulator.close());

let names = 0;
function newStore(): { readonly store: Store; readonly collection: string } {
  const collection = `c${++names}`;
  const store = createStore(arangodb({ url: emulator.url, collection }), { sweepInterval: null });
  onTestFinished(() => store.close());
  return { store, collection };
}

async function serverTime(): Promise<number> {
  return (await (await database.query<number>("RETURN DATE_NOW()")).next()) ?? Number.NaN;
}

/** Sets a key with a deadline, and looks which one it got by the server's clock. */
async function expectDeadline(
  { store, collection }: ReturnType<typeof newStore>,
  key: string,
): Promise<void> {
  const before = await serverTime();
  await store.set(key, 1, { ttl: TTL / 1000 });
  const after = await serverTime();
  const cursor = await database.query<number>("FOR d IN @@c FILTER d.key == @key RETURN d.expiresAt", {
    "@c": collection,
    key,
  });
  const expiresAt = (await cursor.next()) ?? Number.NaN;
  expect(expiresAt).toBeGreaterThanOrEqual(before + TTL - TOLERANCE);
  expect(expiresAt).toBeLessThanOrEqual(after + TTL + TOLERANCE);
  expect(await store.get(key)).toBe(1);
}

describe("deadlines", () => {
  test.each([-600_000, 600_000])(
    "of the first tick are right where this machine's clock is %i ms off",
    async (ahead) => {
      wall.ahead = ahead;
      await expectDeadline(newStore(), "first");
    },
  );

  test.each([-600_000, 600_000])("are right once a clock that was %i ms off is corrected", async (ahead) => {
    wall.ahead = ahead;
    const opened = newStore();
    await expectDeadline(opened, "before");
    wall.ahead = 0;
    await expectDeadline(opened, "after");
  });

  test.for([3, 60])(
    "are right while it jumps every second for %i seconds",
    { timeout: 120_000 },
    async (seconds, context) => {
      if (seconds > 3 && process.env["KV_TEST_FULL"] !== "1") context.skip("needs KV_TEST_FULL=1");
      const opened = newStore();
      await opened.store.set("first", 1);
      const begun = performance.now();
      for (let i = 0; performance.now() - begun < seconds * 1000; i++) {
        wall.ahead = i % 2 === 0 ? -600_000 : 600_000 * (1 + (i % 5));
        await expectDeadline(opened, `k${i}`);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
      expect(await opened.store.count()).toBeGreaterThan(2);
    },
  );

  test("are right again after the server's clock was set, as soon as an answer has told", async () => {
    const opened = newStore();
    onTestFinished(() => emulator.setClock(0));
    await opened.store.set("first", 1);
    // Answers that give rise to a measurement are a second apart.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    emulator.setClock(-90_000);
    await opened.store.set("tells", 1);
    await expectDeadline(opened, "k");
  });

  test("are right after a sweep, and after a request that was lost, whatever the server's clock did", async () => {
    const opened = newStore();
    onTestFinished(() => emulator.setClock(0));
    await opened.store.set("first", 1);
    emulator.setClock(-90_000);
    await opened.store.sweep();
    await expectDeadline(opened, "swept");
    emulator.setClock(90_000);
    const stop = emulator.intercept(() => "reset");
    await expect(opened.store.get("first")).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    stop();
    await expectDeadline(opened, "lost");
  });
});
