import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { needsServer } from "../support/server.ts";
import { keysOf, serverFor, storeOn } from "../support/stores.ts";

describe("a test's fake timers and clock", () => {
  beforeEach(needsServer);
  afterEach(() => void vi.useRealTimers());

  test("stop nothing, and move no deadline", async () => {
    const server = await serverFor();
    vi.useFakeTimers({ now: 0 });
    const store = storeOn({ port: server.port });
    const { promise, resolve } = Promise.withResolvers<string>();
    const subscription = await store.subscribe(({ type, key }) => {
      if (type === "expire") resolve(String(key));
    });
    await store.set("a", 1, { ttl: 60 });
    await store.set("soon", 1, { ttl: 0.2 });
    await store.set("large", "x".repeat(10_000));
    expect(await store.get("a")).toBe(1);
    expect(await keysOf(store)).toContain("a");
    expect(await promise).toBe("soon");
    // The server is away briefly.
    await server.bare.call("CLIENT", "PAUSE", 100);
    expect(await store.get("a")).toBe(1);
    await store.sweep();
    expect(await store.clear()).toBe(2);
    await subscription.unsubscribe();
    await store.close();
  });
});
