import { createStore, delay, fallback, forward, isMilliseconds, retry, timeout, timer } from "@kv/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeAdapter } from "../fake-adapter.ts";

/** Longer than the 31 bits of a timer, which then fires after a millisecond. */
const LONG = "30d";
const LONG_MS = 30 * 864e5;

const overflows: string[] = [];
const note = ({ name, message }: Error): void => {
  if (name === "TimeoutOverflowWarning") overflows.push(message);
};
beforeEach(() => {
  overflows.length = 0;
  process.on("warning", note);
});
afterEach(async () => {
  await pause(20);
  process.off("warning", note);
  expect(overflows).toEqual([]);
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe("durations of more than 24.8 days", () => {
  it("are waited for by a timer", async () => {
    let fired = false;
    const waits = [LONG_MS, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY].map((ms) =>
      timer(() => {
        fired = true;
      }, ms),
    );
    await pause(20);
    expect(fired).toBe(false);
    for (const wait of waits) wait.cancel();
    await delay(1);
  });

  it("are a store's timeout and the interval of its sweeps", async () => {
    let sweeps = 0;
    const adapter = new FakeAdapter({ schedule: (effect) => pause(20).then(effect) });
    adapter.sweep = () => {
      sweeps++;
      return 0;
    };
    const store = createStore(adapter, { timeout: LONG, sweepInterval: LONG });
    expect(await store.get("k")).toBeUndefined();
    await store.close();
    expect(sweeps).toBe(0);
  });

  it("are those of middleware", async () => {
    let reads = 0;
    const inner = new FakeAdapter({ errorCode: () => "KV_UNAVAILABLE" });
    const failing = forward(inner, {
      read: async () => {
        reads++;
        await pause(5);
        throw new Error("down");
      },
    });
    const middleware = [
      fallback({ mode: "degrade", to: "nothing", after: LONG, probe: LONG }),
      timeout({ after: LONG }),
    ];
    const store = createStore(failing, { middleware });
    expect(await store.get("k")).toBeUndefined();
    await pause(20);
    expect(reads).toBe(1);
    await store.close();
  });

  it("are the pauses of retry", async () => {
    let reads = 0;
    const inner = new FakeAdapter({ errorCode: () => "KV_UNAVAILABLE" });
    const failing = forward(inner, {
      read: () => {
        reads++;
        throw new Error("down");
      },
    });
    const store = createStore(failing, {
      middleware: [retry({ delay: LONG, maxDelay: LONG })],
      timeout: "30ms",
    });
    await expect(store.get("k")).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    expect(reads).toBe(1);
  });
});

it("what drivers wait for fits their timers", () => {
  expect([0, 1, 2 ** 31 - 1].every((ms) => isMilliseconds(ms, 0))).toBe(true);
  expect(
    [-1, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY, "5", null].some((ms) => isMilliseconds(ms, 0)),
  ).toBe(false);
});
