import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { createStore, type Store } from "@kv/core";
import { type RedisOptions, redis } from "@kv/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { verdictOf } from "../../linearizability/verdict.ts";
import { type RedisCluster, redisCluster } from "../../services/redis/redis-cluster.ts";
import { type RedisSentinel, redisSentinel } from "../../services/redis/redis-sentinel.ts";
import { isMissing, type Missing } from "../../services/service.ts";
import { ClusterSlots } from "./cluster-slots.ts";
import { type Count, CountingLoad, countText, sumOf } from "./counting-load.ts";
import { eventually } from "./place.ts";

const FULL = process.env["KV_TEST_FULL"] === "1";

const CLIENTS = 4;
const NODE_TIMEOUT_MS = 2_000;
const DOWN_AFTER_MS = 2_000;
/** What was acknowledged so long before a master was killed has certainly been replicated. */
const REPLICATED_MS = 1_000;
/** How often each slot is moved. */
const ROUNDS = 6;
/** Several to a shard. */
const NAMESPACES = Array.from({ length: 9 }, (_, i) => `tenant-${i}`);

function storeOf(options: RedisOptions): Store {
  const store = createStore(redis(options));
  onTestFinished(() => store.close());
  return store;
}

/** The effect of a kill on the counting clients. */
interface Loss {
  /** The counters on the server that was killed, and all others. */
  readonly hit: Count;
  readonly others: Count;
  /** Acknowledged by that server shortly before it was killed: what asynchronous replication may lose. */
  readonly exposed: number;
  /** Milliseconds until it was replaced, as writers see it, and until a watcher received changes again. */
  readonly writing: number;
  readonly watching: number;
}

/** Kills a server under load. `isHit`: whether a namespace is on it. */
async function killed(
  options: RedisOptions,
  namespaces: readonly string[],
  isHit: (namespace: string) => boolean,
  kill: () => Promise<void>,
): Promise<Loss> {
  const stores = Array.from({ length: CLIENTS }, () => storeOf(options));
  const witness = storeOf({ ...options, waitForReconnect: true });
  const load = new CountingLoad(stores, namespaces);
  const hit = load.counters.filter(({ namespace }) => isHit(namespace));
  const [first] = hit;
  if (first === undefined) throw new Error("no counter is on the server that is killed");
  const told: string[] = [];
  const watched = storeOf(options).namespace(first.namespace);
  await watched.scope("watched").subscribe((change) => void told.push(change.key ?? change.type));
  await load.acknowledging(100);
  const at = performance.now();
  await kill();
  const gone = performance.now();
  const writing = (await load.working(first)) - gone;
  await eventually(async () => {
    await witness.namespace(first.namespace).set("watched:after", 1);
    if (!told.includes("after")) throw new Error("the watcher is not told of changes");
  });
  const watching = performance.now() - gone;
  await load.acknowledging(100);
  await load.stop();
  const counts = await load.counts(witness);
  const of = (which: boolean): Count => sumOf(counts.filter((_, i) => isHit(namespaces[i] ?? "") === which));
  const exposed = hit
    .flatMap(({ acknowledged }) => acknowledged)
    .filter((time) => time > at - REPLICATED_MS && time <= gone).length;
  return { hit: of(true), others: of(false), exposed, writing, watching };
}

function lossText({ hit, exposed, writing, watching }: Loss): string {
  return (
    `writes work again after ${Math.round(writing)} ms, a watcher is told again after ${Math.round(watching)} ms; ` +
    `${countText(hit)} (replication is asynchronous: of what was acknowledged, the last may be lost; ` +
    `${exposed} were acknowledged in the last ${REPLICATED_MS} ms)`
  );
}

function expectBounded({ hit, others, exposed }: Loss): void {
  expect([hit.wrong, others.wrong], "increments that nobody made").toEqual([0, 0]);
  expect(hit.lost).toBeLessThanOrEqual(exposed);
  expect(others.lost).toBe(0);
}

/** Reads entries that no client changes, by key and as a range, until it is stopped. */
async function readAgain(
  store: Store,
  filled: readonly (readonly [string, number])[],
  signal: AbortSignal,
): Promise<{ right: number; refused: number; wrong: string[] }> {
  const answers = { right: 0, refused: 0, wrong: [] as string[] };
  const keys = filled.map(([key]) => key);
  const values = filled.map(([, value]) => value);
  for (let i = 0; !signal.aborted; i++) {
    const space = store.namespace(NAMESPACES[i % NAMESPACES.length] ?? "");
    const both = await verdictOf(Promise.all([space.getMany(keys), space.range("filled:")]));
    if (both.is !== "ok") answers.refused++;
    else {
      const [many, range] = both.value;
      const isRight =
        isDeepStrictEqual(many, values) &&
        isDeepStrictEqual(
          range.map(([key]) => key),
          keys.toSorted(),
        );
      if (isRight) answers.right++;
      else answers.wrong.push(JSON.stringify([many, range]));
    }
  }
  return answers;
}

describe("a Cluster of six", () => {
  let cluster: RedisCluster | Missing = { reason: "needs KV_TEST_FULL=1" };
  beforeAll(async () => {
    if (FULL) cluster = await redisCluster({ nodeTimeout: NODE_TIMEOUT_MS });
  }, 120_000);
  afterAll(async () => {
    if (!isMissing(cluster)) await cluster.stop();
  }, 60_000);
  beforeEach((context) => context.skip(isMissing(cluster), isMissing(cluster) ? cluster.reason : ""));

  /** The slots of the namespaces' counters. */
  function slotsOf(slots: ClusterSlots, prefix: string): Promise<number[]> {
    return Promise.all(NAMESPACES.map((namespace) => slots.slotOf(`${prefix}{*/${namespace}/}:counter`)));
  }

  test("slots are moved with their keys while four clients count and one reads: nothing is lost", async () => {
    if (isMissing(cluster)) return;
    const options = { cluster: cluster.nodes, prefix: "resharding:" };
    const stores = Array.from({ length: CLIENTS }, () => storeOf(options));
    const reader = storeOf(options);
    const filled = Array.from({ length: 20 }, (_, i): [string, number] => [`filled:${i}`, i]);
    for (const namespace of NAMESPACES) await reader.namespace(namespace).setMany(filled);
    const load = new CountingLoad(stores, NAMESPACES);
    await load.acknowledging(10);
    const reading = new AbortController();
    const answers = readAgain(reader, filled, reading.signal);
    using slots = await ClusterSlots.of(cluster.processes);
    const counters = await slotsOf(slots, "resharding:");
    for (let round = 0; round < ROUNDS; round++) {
      for (const slot of counters) await slots.move(slot);
      await load.acknowledging(10);
    }
    reading.abort();
    await load.stop();
    const count = sumOf(await load.counts(reader));
    const { right, refused, wrong } = await answers;
    console.log(
      `Cluster, live resharding: ${slots.moved} moves of a slot, ${slots.names} of a name, under ${CLIENTS} clients; ` +
        `${countText(count)}; reads: ${right} right, ${refused} refused, ${wrong.length} wrong`,
    );
    expect(wrong.slice(0, 3)).toEqual([]);
    expect({ lost: count.lost, wrong: count.wrong, unknown: count.unknown }).toEqual({
      lost: 0,
      wrong: 0,
      unknown: 0,
    });
    expect(slots.moved).toBe(ROUNDS * NAMESPACES.length);
    expect(right).toBeGreaterThan(ROUNDS);
  }, 120_000);

  test("a master is killed under load: its replica takes over, and nothing is wrong", async () => {
    if (isMissing(cluster)) return;
    const { processes } = cluster;
    const options = { cluster: cluster.nodes, prefix: "failover:" };
    const seed = storeOf(options);
    for (const namespace of NAMESPACES) await seed.namespace(namespace).increment("counter", 0);
    using slots = await ClusterSlots.of(processes);
    const counters = await slotsOf(slots, "failover:");
    const holders = await Promise.all(counters.map((slot) => slots.holderOf(slot)));
    const [victim] = holders;
    if (victim === undefined) throw new Error("nobody holds the first namespace");
    const hit = new Set(NAMESPACES.filter((_, i) => holders[i] === victim));
    const loss = await killed(
      options,
      NAMESPACES,
      (namespace) => hit.has(namespace),
      () => victim.kill(),
    );
    console.log(
      `Cluster, kill -9 of a master (node timeout ${NODE_TIMEOUT_MS} ms): ${lossText(loss)}; other shards: ${countText(loss.others)}`,
    );
    expectBounded(loss);
  }, 120_000);
});

describe("a master behind Sentinels", () => {
  let sentinel: RedisSentinel | Missing = { reason: "needs KV_TEST_FULL=1" };
  beforeAll(async () => {
    if (FULL) sentinel = await redisSentinel({ downAfter: DOWN_AFTER_MS });
  }, 120_000);
  afterAll(async () => {
    if (!isMissing(sentinel)) await sentinel.stop();
  }, 60_000);
  beforeEach((context) => context.skip(isMissing(sentinel), isMissing(sentinel) ? sentinel.reason : ""));

  test("that is killed under load: its replica takes over, and nothing is wrong", async () => {
    if (isMissing(sentinel)) return;
    const { sentinels, name, processes } = sentinel;
    const options = {
      sentinels: sentinels.map(({ host, port }) => ({ host, port })),
      name,
      prefix: "failover:",
    };
    // A Sentinel that has just begun takes its time to know everybody by their latest state.
    await sleep(1_000);
    const loss = await killed(
      options,
      NAMESPACES,
      () => true,
      () => processes.master.kill(),
    );
    console.log(`Sentinel, kill -9 of the master (down after ${DOWN_AFTER_MS} ms): ${lossText(loss)}`);
    expectBounded(loss);
  }, 120_000);
});
