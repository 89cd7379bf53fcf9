import { type Adapter, createStore, forward, ServerClock } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it } from "vitest";
import { tiered } from "../src/index.ts";

/** A far tier with a clock of its own, an hour ahead of this machine's wall clock, which the test sets. */
function farServer(ask: () => Promise<number> = async () => server.time): {
  readonly far: Adapter;
  readonly local: { wall: number; monotonic: number };
} {
  const local = { wall: 1_790_000_000_000, monotonic: 0 };
  const clock = new ServerClock(ask, { wall: () => local.wall, monotonic: () => local.monotonic });
  const inner = memory({ clock: () => server.time });
  return { far: forward(inner, { clock: clock.now, syncClock: clock.sync }), local };
}

const server = { time: 1_790_003_600_000 };

describe.each(["through", "behind"] as const)("the clock of a tiered store that writes %s", (write) => {
  it("is the far tier's, measured before it is used and when this machine's clock was set", async () => {
    const { far, local } = farServer();
    const adapter = tiered({ near: memory(), far, write });
    await adapter.syncClock?.();
    expect(adapter.clock()).toBe(server.time);
    expect(adapter.syncClock?.()).toBeUndefined();
    local.wall += 600_000;
    await adapter.syncClock?.();
    expect(adapter.clock()).toBe(server.time);
    expect(adapter.syncClock?.()).toBeUndefined();
  });

  it("dates the writes of the first tick, and those after this machine's clock was set", async () => {
    const { far, local } = farServer();
    await using store = createStore(tiered({ near: memory(), far, write }));
    const ends = async (): Promise<number> =>
      ((await store.getMetadata("session"))?.expiresAt?.getTime() ?? 0) - server.time;
    await store.set("session", 1, { ttl: "60s" });
    expect(await store.get("session")).toBe(1);
    expect(Math.abs((await ends()) - 60_000)).toBeLessThan(2000);
    local.wall -= 7_200_000;
    await store.set("session", 2, { ttl: "60s" });
    expect(await store.get("session")).toBe(2);
    expect(Math.abs((await ends()) - 60_000)).toBeLessThan(2000);
  });

  it("is measured on demand only where the far tier's is", () => {
    expect(tiered({ near: memory(), far: memory(), write }).syncClock).toBeUndefined();
  });
});

describe("while the far tier is away", () => {
  const away = (): Promise<number> => Promise.reject(new Error("nobody is there"));
  const silent = (): Promise<number> => new Promise(() => undefined);

  it("a write through cannot be dated, and says so", async () => {
    const adapter = tiered({ near: memory(), far: farServer(away).far });
    await expect(adapter.syncClock?.()).rejects.toThrow("nobody is there");
  });

  it.each([away, silent])("a write behind is dated by the last measurement", async (ask) => {
    const { far, local } = farServer(ask);
    const adapter = tiered({ near: memory(), far, write: "behind", timeout: 0.05 });
    await adapter.syncClock?.();
    expect(adapter.clock()).toBe(local.wall);
  });
});
