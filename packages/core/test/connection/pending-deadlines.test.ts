import {
  bounded,
  createStore,
  fallback,
  KvError,
  logging,
  type Middleware,
  retry,
  sizeLimit,
  timeout,
} from "@kv/core";
import { describe, expect, it } from "vitest";
import { FakeAdapter } from "../fake-adapter.ts";

const BEHIND_MS = 600_000;

/** A server's clock that is ten minutes ahead of this machine's: wrong until measured, and again when it jumps. */
class ServerTime {
  #real = BEHIND_MS;
  #known = 0;
  gone = false;
  asked = 0;

  readonly clock = (): number => Date.now() + this.#known;
  readonly server = (): number => Date.now() + this.#real;

  readonly sync = (): Promise<void> | undefined => {
    if (this.#known === this.#real) return undefined;
    this.asked++;
    return new Promise((resolve, reject) => {
      setTimeout(() => {
        if (this.gone) return reject(new Error("the server is gone"));
        this.#known = this.#real;
        resolve();
      }, 5);
    });
  };

  jump(ms: number): void {
    this.#real += ms;
  }
}

class ServerAdapter extends FakeAdapter {
  readonly syncClock: () => Promise<void> | undefined;

  constructor(time: ServerTime) {
    const later = <T>(effect: () => T) => Promise.resolve().then(effect);
    super({
      schedule: later,
      clock: time.clock,
      errorCode: () => "KV_UNAVAILABLE",
      open: () => new Promise((resolve) => setTimeout(resolve, 5)),
    });
    this.syncClock = time.sync;
  }
}

function expectNear(time: number | undefined, expected: number): void {
  expect(Math.abs((time ?? Number.NaN) - expected)).toBeLessThan(2000);
}

describe("deadlines by a server's clock", () => {
  it("are computed once it is known, in the order of the calls", async () => {
    const time = new ServerTime();
    const store = createStore<unknown>(new ServerAdapter(time), { defaultTtl: "2m" });
    const expiresIn = async (key: string): Promise<number | undefined> =>
      (await store.getMetadata(key))?.expiresAt?.getTime();
    const first = await Promise.all([
      store.set("set", 1, { ttl: "60s" }),
      store.get("set"),
      store.set("default", 1),
      store.set("never", 1, { ttl: null }),
      store.setMany([["many", 1, { ttl: "60s" }]]),
      store.setCache("cache", 1, { ttl: "60s" }),
      store.create("create", 1, { ttl: "60s" }),
      store.increment("count", 1, { ttl: "60s" }),
      store.update("update", () => 1, { ttl: "60s" }),
      store.atomic().set("atomic", 1, { ttl: "60s" }).increment("counted", 1, { ttl: "60s" }).commit(),
      store.transaction((tx) => tx.set("transaction", 1, { ttl: "60s" })),
      store.set("touched", 1, { ttl: null }),
      store.updateTtl("touched", "60s"),
      store.get("update"),
    ]);
    expect(first[1]).toBe(1);
    expect(first[13]).toBe(1);
    const dated = [
      "set",
      "many",
      "cache",
      "create",
      "count",
      "update",
      "atomic",
      "counted",
      "transaction",
      "touched",
    ];
    for (const key of dated) expectNear(await expiresIn(key), time.server() + 60_000);
    expectNear(await expiresIn("default"), time.server() + 120_000);
    expect(await expiresIn("never")).toBeUndefined();
  });

  it("are computed anew after it was set, and count from the call", async () => {
    const time = new ServerTime();
    const store = createStore(new ServerAdapter(time));
    await store.set("before", 1, { ttl: "60s" });
    time.jump(-BEHIND_MS / 2);
    const called = time.server();
    await store.set("after", 1, { ttl: "60s" });
    const { expiresAt } = (await store.getMetadata("after")) ?? {};
    expect(expiresAt?.getTime()).toBeGreaterThanOrEqual(called + 60_000 - 1);
    expect(expiresAt?.getTime()).toBeLessThanOrEqual(called + 60_000 + 2);
  });

  it("fail with their own writes where the server does not tell its time, and no others", async () => {
    const time = new ServerTime();
    const store = createStore(new ServerAdapter(time));
    await store.set("k", 0);
    time.gone = true;
    const [dated, plain] = await Promise.allSettled([store.set("k", 1, { ttl: 60 }), store.set("other", 2)]);
    expect(plain.status).toBe("fulfilled");
    expect(dated.status === "rejected" && KvError.is(dated.reason, "KV_UNAVAILABLE")).toBe(true);
    expect(dated.status === "rejected" && dated.reason.retryable).toBe(true);
    expect(await store.getMany(["k", "other"])).toEqual([0, 2]);
    time.gone = false;
    await store.set("k", 3, { ttl: 60 });
    expect(await store.get("k")).toBe(3);
  });

  it("are validated at the call all the same", async () => {
    const time = new ServerTime();
    const store = createStore(new ServerAdapter(time));
    await expect(store.set("k", 1, { ttl: -1 })).rejects.toMatchObject({ code: "KV_INVALID_TTL" });
    expect(time.asked).toBe(0);
  });

  it("ask nothing of an adapter whose writes have none", async () => {
    const time = new ServerTime();
    const store = createStore(new ServerAdapter(time));
    await store.set("k", 1);
    await store.set("k", 2, { expiresAt: Date.now() + 2 * BEHIND_MS });
    expect(time.asked).toBe(0);
  });
});

describe("a server's clock through middleware", () => {
  const every: Record<string, Middleware> = {
    bounded: bounded({ maxEntries: 100, ttl: "60s" }),
    fallback: fallback({ mode: "degrade", to: "nothing" }),
    logging: logging({ log: () => undefined }),
    retry: retry(),
    sizeLimit: sizeLimit({ maxValueBytes: 1000 }),
    timeout: timeout({ after: 1 }),
  };
  for (const [name, middleware] of Object.entries(every)) {
    it(`is measured through ${name}`, async () => {
      const time = new ServerTime();
      const store = createStore(new ServerAdapter(time), { middleware: [middleware] });
      await store.set("k", 1, name === "bounded" ? undefined : { ttl: "60s" });
      expectNear((await store.getMetadata("k"))?.expiresAt?.getTime(), time.server() + 60_000);
    });
  }

  it("is asked again by retry", async () => {
    const time = new ServerTime();
    const store = createStore(new ServerAdapter(time), { middleware: [retry()] });
    await store.get("k");
    time.gone = true;
    setTimeout(() => {
      time.gone = false;
    }, 10);
    await store.set("k", 1, { ttl: "60s" });
    expect(time.asked).toBeGreaterThan(1);
  });

  it("gives way to the other adapter's during an outage", async () => {
    const time = new ServerTime();
    const secondary = new FakeAdapter();
    const middleware = [fallback({ mode: "degrade", to: secondary, probe: 60 })];
    const store = createStore(new ServerAdapter(time), { middleware });
    await store.get("k");
    time.gone = true;
    await store.set("k", 1, { ttl: "60s" });
    expectNear((await store.getMetadata("k"))?.expiresAt?.getTime(), Date.now() + 60_000);
    await store.close();
  });
});
