import { type Emulator, errorAnswer, fault, startEmulator } from "@kv/arangodb-emulator";
import { createStore, type KvError, type Store } from "@kv/core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { arangodb } from "../../src/index.ts";

const PATIENCE = { timeout: 10_000 };

let emulator: Emulator;
let url: string;
beforeAll(async () => {
  emulator = await startEmulator();
  url = emulator.url;
});
afterAll(() => emulator.close());

function storeFor(collection: string, options: { readonly requestTimeout?: number } = {}): Store {
  const adapter = arangodb({ url, collection, watchInterval: 10, ...options });
  const store = createStore(adapter, { sweepInterval: null, timeout: 20 });
  onTestFinished(() => store.close());
  return store;
}

async function refusalOf(promise: Promise<unknown>): Promise<KvError> {
  return promise.then(
    () => Promise.reject(new Error("it was not refused")),
    (error: KvError) => error,
  );
}

describe("an error of the server in answer to a write", () => {
  test.each([
    [500, 4],
    [500, 21],
    [503, 30],
    [500, 1474],
    [500, 3],
  ])(
    "may come after the commit (%i/%i): its outcome is unknown, and watchers miss nothing",
    async (status, errorNum) => {
      const store = storeFor(`after${errorNum}`);
      await store.set("k", "before");
      const seen: unknown[] = [];
      await store.subscribe(({ type, value }) => void seen.push(type === "set" ? value : type));
      const stop = emulator.intercept(fault(errorAnswer(status, errorNum), { when: "after" }));
      const error = await refusalOf(store.set("k", "ambiguous"));
      stop();
      expect(error).toMatchObject({
        retryable: false,
        message: expect.stringMatching(/may have been applied/),
      });
      expect(await store.get("k")).toBe("ambiguous");
      await expect.poll(() => seen, PATIENCE).toContain("ambiguous");
      await store.set("k", "after1");
      await expect.poll(() => seen, PATIENCE).toContain("after1");
      await store.set("k", "after2");
      await expect.poll(() => seen, PATIENCE).toContain("after2");
      expect(seen).not.toContain("resync");
    },
  );

  test.each([
    [503, 1429, "KV_UNAVAILABLE", true],
    [503, 503, "KV_UNAVAILABLE", true],
    [503, 1495, "KV_UNAVAILABLE", true],
    [503, 21003, "KV_UNAVAILABLE", true],
    [503, 1491, "KV_UNAVAILABLE", true],
    [410, 1500, "KV_TIMEOUT", true],
    [500, 32, "KV_CAPACITY", false],
    [403, 1004, "KV_READ_ONLY", false],
  ])(
    "comes before it where it can be nothing else (%i/%i): %s, retryable: %s",
    async (status, errorNum, code, retryable) => {
      const store = storeFor(`before${errorNum}`);
      await store.set("k", 1);
      const stop = emulator.intercept(fault(errorAnswer(status, errorNum), { when: "before" }));
      const error = await refusalOf(store.set("k", 2));
      stop();
      expect(error).toMatchObject({ code, retryable });
      expect(error.message).not.toMatch(/may have been applied/);
      expect(await store.get("k")).toBe(1);
      await store.set("k", 3);
      expect(await store.get("k")).toBe(3);
    },
  );

  test("that says to try again (1302) is tried again", async () => {
    const store = storeFor("again");
    await store.set("n", 1);
    const stop = emulator.intercept(fault(errorAnswer(500, 1302), { when: "before", times: 3 }));
    expect(await store.increment("n")).toBe(2);
    stop();
  });

  test("to a link may come after the commit, too", async () => {
    const { links } = await import("../../src/index.ts");
    const store = storeFor("linked");
    await store.setMany([
      ["a", 1],
      ["b", 1],
    ]);
    const { link } = links(store);
    await link("a", "first", "b");
    const stop = emulator.intercept(fault(errorAnswer(500, 4), { when: "after" }));
    expect(await refusalOf(link("a", "to", "b"))).toMatchObject({ retryable: false });
    stop();
  });
});

describe("a connection that ends in the middle", () => {
  test.each([
    ["before", 1],
    ["after", 2],
  ] as const)("%s the write was done: it is not sent again", async (when, expected) => {
    const store = storeFor(`ended-${when}`);
    await store.increment("n");
    let requests = 0;
    const stopCounting = emulator.intercept((request, proceed) => {
      if (request.writes && request.query.includes("@commits")) requests++;
      return proceed();
    });
    const stop = emulator.intercept(
      fault("reset", { when, only: ({ query }) => query.includes("@commits") }),
    );
    expect(await refusalOf(store.increment("n"))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    stop();
    stopCounting();
    expect(requests).toBe(when === "before" ? 0 : 1);
    expect(await store.get("n")).toBe(expected);
  });
});

describe("a write that was given up", () => {
  test("and waits in the server's queue does nothing when its turn comes at last", async () => {
    const store = storeFor("late", { requestTimeout: 400 });
    await store.set("k", "before");
    let release: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let done: Promise<unknown> | undefined;
    const stop = emulator.intercept(async (request, proceed) => {
      if (!request.writes || !JSON.stringify(request.body).includes("late-value")) return proceed();
      await held;
      const answered = proceed();
      done = answered;
      return answered;
    });
    expect(await refusalOf(store.set("k", "late-value"))).toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: false,
    });
    await store.set("k", "newer");
    release?.();
    await expect.poll(() => done, PATIENCE).toBeDefined();
    await done;
    stop();
    expect(await store.get("k")).toBe("newer");
  });

  test("is kept from taking effect also where nothing is written after it", async () => {
    const store = storeFor("fenced", { requestTimeout: 400 });
    await store.set("k", "before");
    let late: (() => Promise<unknown>) | undefined;
    const stop = emulator.intercept((request, proceed) => {
      if (!JSON.stringify(request.body).includes("late-value")) return proceed();
      late = proceed;
      return new Promise(() => {});
    });
    await refusalOf(store.set("k", "late-value"));
    stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await late?.();
    expect(await store.get("k")).toBe("before");
  });
});
