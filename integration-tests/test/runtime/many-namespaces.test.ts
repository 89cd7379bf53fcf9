import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Adapter, createStore, type Store } from "@kv/core";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { SCRATCH } from "../scratch.ts";

const FEW = 1000;
const MANY = process.env["KV_TEST_FULL"] === "1" ? 1_000_000 : 10_000;
/** Requests whose cost is compared at a time. The fastest of several such rounds is what the machine's other work disturbs least. */
const ROUND = 500;
const ROUNDS = 6;

const directory = mkdtempSync(join(SCRATCH, "kv-many-namespaces-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes in use once finalizers have run, too. */
async function heapInUse(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    collect();
    await sleep(20);
  }
  return process.memoryUsage().heapUsed;
}

/** What a server does for one request of one tenant. */
async function request(store: Store, tenant: number): Promise<void> {
  const sessions = store.namespace("tenants", `${tenant}`).scope("session").typed<string>();
  await sessions.readonly().get("id");
  if (tenant % 10 > 0) return;
  await sessions.set("id", "value");
  await sessions.delete("id");
}

/** Microseconds of one request, in the fastest of several rounds. */
async function cost(store: Store, from: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now();
    for (let i = 0; i < ROUND; i++) await request(store, from + round * ROUND + i);
    least = Math.min(least, ((performance.now() - begun) / ROUND) * 1000);
  }
  return least;
}

describe.each<[string, () => Adapter]>([
  ["memory", () => memory()],
  ["sqlite", () => sqlite({ path: join(directory, "store.db") })],
])("%s, with a view for each request", (name, adapter) => {
  it(`serves ${MANY.toLocaleString("en")} namespaces as it serves ${FEW}, and keeps nothing of them`, async () => {
    const store = createStore(adapter());
    for (let tenant = 0; tenant < FEW; tenant++) await request(store, tenant);
    const few = await cost(store, FEW);
    const before = await heapInUse();
    for (let tenant = 0; tenant < MANY; tenant++) await request(store, tenant);
    const many = await cost(store, MANY);
    const after = await heapInUse();
    const grown = (after - before) / 2 ** 20;
    console.log(
      `${name}: ${few.toFixed(1)} µs a request at ${FEW} namespaces, ${many.toFixed(1)} µs at ${MANY}; heap ${grown.toFixed(1)} MiB more`,
    );
    expect(grown).toBeLessThan(10);
    if (MANY === 1_000_000) expect(many).toBeLessThan(few * 1.5);
    await store.sweep();
    expect(await store.listNamespaces()).toEqual([]);
    await store.close();
  }, 600_000);
});
