import { setTimeout as sleep } from "node:timers/promises";
import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { createStore, type Store } from "@kv/core";
import { Database } from "arangojs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type ArangodbOptions, arangodb } from "../../src/index.ts";

const TIMEOUT = 1500;

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

function storeFor(options: ArangodbOptions): Store {
  const adapter = arangodb({ requestTimeout: TIMEOUT, busyTimeout: TIMEOUT, ...options });
  const store = createStore(adapter, { sweepInterval: null, timeout: 60 });
  onTestFinished(() => store.close());
  return store;
}

/** Retries until it succeeds: the machine may be too busy for these stores' short timeouts. */
async function prepared(attempt: () => Promise<unknown>): Promise<void> {
  await expect.poll(() => attempt().then(() => "done", String), { timeout: 30_000 }).toBe("done");
}

/** How long each call took, in milliseconds, and its outcome. */
async function ends(
  calls: readonly Promise<unknown>[],
): Promise<{ readonly took: number; readonly outcome: string }[]> {
  const begun = performance.now();
  return Promise.all(
    calls.map(async (call) => {
      const outcome = await call.then(
        () => "ok",
        (error: { code: string; message: string }) => `${error.code} ${error.message}`,
      );
      return { took: performance.now() - begun, outcome };
    }),
  );
}

describe("a server that does not answer", () => {
  test("is given up by each write within its own time, however many wait before it, and none is sent after that", async () => {
    const store = storeFor({ url: emulator.url, collection: "writes" });
    const views = Array.from({ length: 48 }, (_, i) => store.namespace(`n${i}`));
    await prepared(() => Promise.all(views.map((view) => view.set("k", 0))));
    const values: string[] = [];
    const stop = emulator.intercept((request, proceed) => {
      if (!request.writes || !request.query.includes("@sets")) return proceed();
      values.push(JSON.stringify(request.body));
      return new Promise(() => {});
    });
    const results = await ends(views.map((view, i) => view.set("k", `v${i}`)));
    for (const { took, outcome } of results) {
      expect(outcome).toMatch(/KV_UNAVAILABLE/);
      expect(took).toBeLessThan(4 * TIMEOUT);
    }
    // One write per lane was sent, and the others report that they were not.
    expect(results.filter(({ outcome }) => outcome.includes("was not sent"))).toHaveLength(
      48 - values.length,
    );
    const sent = values.length;
    await sleep(TIMEOUT);
    expect(values).toHaveLength(sent);
    stop();
    await prepared(async () => views[20]?.set("k", "later"));
    expect(await views[20]?.get("k")).toBe("later");
  });

  test("is given up by each read within its own time, also where they wait for a connection", async () => {
    const store = storeFor({ url: emulator.url, collection: "reads", poolSize: 2 });
    const views = Array.from({ length: 16 }, (_, i) => store.namespace(`n${i}`));
    await prepared(() => store.set("k", 0));
    let requests = 0;
    const stop = emulator.intercept(() => {
      requests++;
      return new Promise(() => {});
    });
    const results = await ends(views.map((view) => view.get("k")));
    for (const { took, outcome } of results) {
      expect(outcome).toMatch(/KV_UNAVAILABLE/);
      expect(took).toBeLessThan(4 * TIMEOUT);
    }
    expect(requests).toBeLessThanOrEqual(2);
    stop();
    await prepared(async () => expect(await store.get("k")).toBe(0));
  });

  test.each(["with an address", "with a client of the caller's"])(
    "in the middle of an answer is given up, and what comes later is answered: %s",
    async (how) => {
      const options =
        how === "with an address"
          ? { url: emulator.url, poolSize: 2 }
          : { client: new Database({ url: emulator.url }) };
      const store = storeFor({ ...options, collection: `half-${how.length}` });
      await prepared(() => store.set("k", { text: "x".repeat(10_000) }));
      const stop = emulator.intercept(async (request, proceed) =>
        request.url.includes("cursor") ? { stalled: await proceed() } : proceed(),
      );
      const results = await ends([store.get("k"), store.namespace("n").get("k")]);
      stop();
      for (const { took, outcome } of results) {
        expect(outcome).toMatch(/KV_UNAVAILABLE/);
        expect(took).toBeLessThan(4 * TIMEOUT);
      }
      // Its connections are free again, if they belong to this store.
      await prepared(async () => expect(await store.get("k")).toEqual({ text: "x".repeat(10_000) }));
    },
  );
});

describe("a key that others write all the time", () => {
  test("is given up within one busyTimeout, also by a write that looks first and by one that waits", async () => {
    const store = storeFor({ url: emulator.url, collection: "busy" });
    await prepared(() => store.set("n", 1));
    const database = new Database({ url: emulator.url });
    const transaction = await database.beginTransaction({ write: ["busy"] });
    await transaction.step(() => database.query(`FOR d IN busy UPDATE d WITH { disturbed: true } IN busy`));
    const results = await ends([
      store.increment("n"),
      Promise.all([store.set("n", 1), store.increment("n")]),
    ]);
    await transaction.abort();
    for (const { outcome } of results) expect(outcome).toMatch(/KV_UNAVAILABLE.*nothing was written/);
    expect(results[0]?.took).toBeLessThan(4 * TIMEOUT);
  });
});
