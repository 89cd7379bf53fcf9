import { type CommitResult, createStore, KvError, type KvErrorCode } from "@kv/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeAdapter } from "../fake-adapter.ts";

const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  await pause(5);
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function refused(promise: Promise<unknown>): Promise<KvErrorCode> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof KvError) return error.code;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("opening", () => {
  it("does nothing before the first operation, and opens once for concurrent ones", async () => {
    let opened = 0;
    const store = createStore(new FakeAdapter({ open: () => pause(5).then(() => void opened++) }));
    await pause(2);
    expect(opened).toBe(0);
    await Promise.all([store.set("a", 1), store.get("a"), store.count(), store.keys().next()]);
    expect(opened).toBe(1);
  });

  it("keeps the order of the calls that waited for it", async () => {
    const store = createStore(new FakeAdapter({ open: () => pause(2) }));
    const answers = [
      store.set("a", 1),
      store.get("a"),
      store.set("a", 2),
      store.get("a"),
      store.delete("a"),
      store.get("a"),
    ];
    expect(await Promise.all(answers)).toEqual(["r1", 1, "r2", 2, true, undefined]);
  });

  it("rejects what waited for a failed open, and tries again with the next operation", async () => {
    let tries = 0;
    const open = async (): Promise<void> => {
      await pause(1);
      if (++tries < 3) throw new Error("no such host");
    };
    const store = createStore(new FakeAdapter({ open, errorCode: () => "KV_UNAVAILABLE" }));
    expect(await Promise.all([refused(store.get("a")), refused(store.set("a", 1))])).toEqual([
      "KV_UNAVAILABLE",
      "KV_UNAVAILABLE",
    ]);
    expect(await refused(store.get("a"))).toBe("KV_UNAVAILABLE");
    await store.set("a", 1);
    expect(await store.get("a")).toBe(1);
  });

  it("fails the same way when open throws", async () => {
    let tries = 0;
    const open = (): void => {
      if (++tries === 1) throw new Error("no such file");
    };
    const store = createStore(new FakeAdapter({ open }));
    expect(await refused(store.get("a"))).toBe("KV_BACKEND");
    expect(await store.get("a")).toBeUndefined();
  });

  it("gives up an open that takes too long, and never begins a second one beside it", async () => {
    const { promise: opened, resolve } = Promise.withResolvers<void>();
    const calls: string[] = [];
    const adapter = new FakeAdapter({
      open: () => {
        calls.push("open");
        return opened;
      },
      close: () => void calls.push("close"),
    });
    const store = createStore(adapter, { timeout: "10ms" });
    expect(await refused(store.get("a"))).toBe("KV_TIMEOUT");
    expect(await refused(store.get("a"))).toBe("KV_TIMEOUT");
    const waiting = store.set("a", 1);
    resolve();
    await waiting;
    expect(await store.get("a")).toBe(1);
    expect(calls).toEqual(["open"]);
    await store.close();
    expect(calls).toEqual(["open", "close"]);
  });

  it("is open when an open that was given up succeeds, and begins anew when it fails", async () => {
    let outcome = Promise.withResolvers<void>();
    let opens = 0;
    const adapter = new FakeAdapter({
      open: () => {
        opens++;
        return outcome.promise;
      },
    });
    const store = createStore(adapter, { timeout: "10ms" });
    expect(await refused(store.get("a"))).toBe("KV_TIMEOUT");
    outcome.reject(new Error("no such host"));
    outcome = Promise.withResolvers<void>();
    await pause(1);
    expect(await refused(store.get("a"))).toBe("KV_TIMEOUT");
    outcome.resolve();
    await pause(1);
    expect(await store.get("a")).toBeUndefined();
    expect(opens).toBe(2);
  });

  it("closes what an open that was given up opens after the store was closed", async () => {
    const { promise: opened, resolve } = Promise.withResolvers<void>();
    let closed = 0;
    const adapter = new FakeAdapter({ open: () => opened, close: () => void closed++ });
    const store = createStore(adapter, { timeout: "10ms" });
    expect(await refused(store.get("a"))).toBe("KV_TIMEOUT");
    await store.close();
    expect(closed).toBe(0);
    resolve();
    await pause(1);
    expect(closed).toBe(1);
  });

  it("closes what opens too late for a store that was closed meanwhile", async () => {
    const { promise: opened, resolve } = Promise.withResolvers<void>();
    let closed = 0;
    const adapter = new FakeAdapter({ open: () => opened, close: () => void closed++ });
    const store = createStore(adapter, { timeout: "10ms" });
    const answer = refused(store.get("a"));
    await store.close();
    expect(await answer).toBe("KV_TIMEOUT");
    resolve();
    await pause(1);
    expect(closed).toBe(1);
  });
});

describe("timeouts", () => {
  const never = <T>(): Promise<T> => new Promise(() => undefined);

  it("reject what the backend does not answer, and let go of the keys", async () => {
    let hang = true;
    const adapter = new FakeAdapter({ schedule: (effect) => (hang ? never() : effect()) });
    const store = createStore(adapter, { timeout: "20ms" });
    expect(
      await Promise.all([refused(store.get("a")), refused(store.set("a", 1)), refused(store.take("a"))]),
    ).toEqual(["KV_TIMEOUT", "KV_TIMEOUT", "KV_TIMEOUT"]);
    expect(await refused(store.count())).toBe("KV_TIMEOUT");
    hang = false;
    await store.set("a", 2);
    expect(await store.get("a")).toBe(2);
    await store.close();
  });

  it("don't hold up close", async () => {
    const store = createStore(new FakeAdapter({ schedule: never }), { timeout: "20ms" });
    const answer = refused(store.set("a", 1));
    await store.close();
    expect(await answer).toBe("KV_TIMEOUT");
  });
});

describe("closing", () => {
  it("waits for accepted work and refuses what comes later", async () => {
    let closed = false;
    const adapter = new FakeAdapter({
      schedule: (effect) => pause(5).then(effect),
      open: () => pause(5),
      close: () => {
        closed = true;
      },
    });
    const store = createStore(adapter);
    const accepted = [store.set("a", 1), store.get("a"), store.increment("n")];
    const closing = store.close();
    expect(await refused(store.get("a"))).toBe("KV_CLOSED");
    await closing;
    expect(closed).toBe(true);
    expect(await Promise.all(accepted)).toEqual(["r1", 1, 1]);
    await store.close();
  });

  it("does not open what was never used", async () => {
    let calls = 0;
    const store = createStore(new FakeAdapter({ open: () => void calls++, close: () => void calls++ }));
    await store.close();
    expect(calls).toBe(0);
    expect(await refused(store.get("a"))).toBe("KV_CLOSED");
  });

  it("ends scans with KV_CLOSED and is what await using does", async () => {
    let scan: AsyncIterator<string> | undefined;
    {
      await using store = createStore(new FakeAdapter());
      await store.setMany([
        ["a", 1],
        ["b", 2],
      ]);
      scan = store.keys();
      expect(await scan.next()).toEqual({ done: false, value: "a" });
    }
    expect(await refused(Promise.resolve(scan.next()))).toBe("KV_CLOSED");
  });
});

describe("errors", () => {
  it("are wrapped once, say adapter, operation and key, and hide passwords", async () => {
    const boom = new Error("connect to redis://admin:hunter2@db:6379 refused");
    const adapter = new FakeAdapter({
      schedule: () => Promise.reject(boom),
      errorCode: () => "KV_UNAVAILABLE",
    });
    const store = createStore(adapter);
    const error = await store.set("user:1", 1).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KvError);
    expect(error).toMatchObject({
      code: "KV_UNAVAILABLE",
      operation: "set",
      adapter: "fake",
      key: "user:1",
      retryable: true,
    });
    expect((error as KvError).cause).toBe(boom);
    expect((error as KvError).message).toContain('fake.set "user:1"');
    expect((error as KvError).message).not.toContain("hunter2");
  });

  it("of one commit leave the others of its batch alone", async () => {
    class Picky extends FakeAdapter {
      override async commit(
        ...[namespace, commits]: Parameters<FakeAdapter["commit"]>
      ): Promise<CommitResult[]> {
        const results = await super.commit(namespace, commits);
        return results.map((result, i) =>
          commits[i]?.mutations[0]?.key === "bad"
            ? { status: "error", error: new RangeError("too big") }
            : result,
        );
      }
    }
    const store = createStore(new Picky());
    const [good, bad] = await Promise.allSettled([store.set("good", 1), store.set("bad", 1)]);
    expect(good?.status).toBe("fulfilled");
    expect(bad).toMatchObject({ status: "rejected", reason: { code: "KV_BACKEND", key: "bad" } });
  });
});

describe("the event loop", () => {
  it("gets its turns while answers are always at hand", async () => {
    const store = createStore(new FakeAdapter({ batch: { read: false, commit: false } }));
    let turns = 0;
    let running = true;
    const tick = (): void => {
      turns++;
      if (running) setImmediate(tick);
    };
    setImmediate(tick);
    // Without a turn in between this would go on until the test is given up.
    while (turns < 5) await store.get("a");
    running = false;
    const worker = async (): Promise<void> => {
      while (turns < 10) await store.set("a", 1);
    };
    running = true;
    setImmediate(tick);
    await Promise.all([worker(), worker()]);
    running = false;
  });
});

describe("values that a schema judges, some at once and some late", () => {
  /** Refuses numbers below 0 at once, and those above 9 late. */
  const schema = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate(value: unknown) {
        const issues = [{ message: "out of range" }];
        if (Number(value) < 0) return { issues };
        return pause(1).then(() => (Number(value) > 9 ? { issues } : { value }));
      },
    },
  } as const;

  it("leave no rejection behind where one was refused at once", async () => {
    const store = createStore(new FakeAdapter());
    await store.setMany([
      ["late", 10],
      ["now", -1],
    ]);
    const typed = store.typed(schema);
    expect(
      await refused(
        typed.setMany([
          ["a", 10],
          ["b", -1],
        ]),
      ),
    ).toBe("KV_INVALID_VALUE");
    expect(await refused(typed.getMany(["late", "now"]))).toBe("KV_INVALID_VALUE");
    await pause(5);
    await store.close();
  });
});
