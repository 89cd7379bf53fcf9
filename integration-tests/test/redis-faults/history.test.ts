import { checkEntries, type EntriesCheck } from "@kv/conformance/linearizability";
import { createStore, forward, type Middleware } from "@kv/core";
import { redis } from "@kv/redis";
import { Redis } from "ioredis";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Contender, type Part } from "../../linearizability/contender.ts";
import { groundOf, lastWords } from "../../linearizability/round.ts";
import { FaultProxy } from "../../proxy/fault-proxy.ts";
import { needsRedisServer } from "../../services/redis/redis-binary.ts";
import { plainServer, RedisProcess } from "../../services/redis/redis-process.ts";
import { contendingAdapter } from "../../workers/contending-adapter.ts";
import { randomFrom } from "../faults/damage/damage.ts";
import { ContendingProcess } from "./contending-process.ts";
import { RandomFaults } from "./random-faults.ts";

const missing = await needsRedisServer();

const SECONDS = process.env["KV_TEST_FULL"] === "1" ? 60 : 5;
const SEED = Number(process.env["KV_TEST_SEED"] ?? 20_261_120);
const PROCESSES = 2;
const CLIENTS = 8;
const PREFIX = "history:";
/** How many operations a client makes in a round. */
const OPERATIONS = 20;

interface Stage {
  readonly server: RedisProcess;
  /** One for each client. */
  readonly proxies: readonly FaultProxy[];
  readonly admin: Redis;
}

async function stage(): Promise<Stage> {
  const server = await RedisProcess.start({ args: plainServer });
  onTestFinished(() => server.stop());
  const proxies = await Promise.all(Array.from({ length: CLIENTS }, () => FaultProxy.start(server)));
  onTestFinished(async () => void (await Promise.all(proxies.map((proxy) => proxy.close()))));
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  return { server, proxies, admin };
}

describe(`eight clients of one Redis under random faults (seed ${SEED})`, () => {
  beforeEach((context) => context.skip(missing !== undefined, missing?.reason));

  test(
    "in two processes leave histories that are linearizable",
    async () => {
      const { server, proxies, admin } = await stage();
      const each = CLIENTS / PROCESSES;
      const processes = await Promise.all(
        Array.from({ length: PROCESSES }, (_, i) => {
          const ports = proxies.slice(i * each, (i + 1) * each).map(({ port }) => port);
          return ContendingProcess.start(SEED, i * each, PREFIX, ports);
        }),
      );
      onTestFinished(() => {
        for (const one of processes) one.stop();
      });
      await using witness = createStore(redis({ port: server.port, prefix: PREFIX, waitForReconnect: true }));
      const faults = new RandomFaults(proxies, admin, randomFrom(SEED));
      const sums = { ok: 0, failed: 0, unknown: 0 };
      const checks: EntriesCheck[] = [];
      const until = performance.now() + SECONDS * 1_000;
      try {
        for (let round = 0; performance.now() < until; round++) {
          const ground = groundOf(round, OPERATIONS);
          const parts = (await Promise.all(processes.map((one) => one.round(ground)))).flat();
          for (const { ok, failed, unknown } of parts) {
            sums.ok += ok;
            sums.failed += failed;
            sums.unknown += unknown;
          }
          const words = await lastWords(witness, ground);
          checks.push(checkEntries([...parts.flatMap(({ history }) => history), ...words]));
          if (checks.at(-1)?.refused.length !== 0) break;
        }
      } finally {
        await faults.stop();
      }
      const refused = checks.flatMap((check) => check.refused);
      const histories = checks.reduce((sum, check) => sum + check.histories, 0);
      console.log(
        `Redis under random faults (seed ${SEED}): ${SECONDS} s, ${CLIENTS} clients in ${PROCESSES} processes; ` +
          `operations: ${sums.ok} ok, ${sums.failed} failed, ${sums.unknown} unknown; faults: ${faults}; ` +
          `${histories} histories checked, ${refused.length === 0 ? "all linearizable" : `${refused.length} NOT LINEARIZABLE`}`,
      );
      expect(refused.join("\n\n")).toBe("");
      // It was no fair weather.
      expect(Math.min(sums.ok, sums.failed, sums.unknown, faults.injected.size)).toBeGreaterThan(5);
    },
    SECONDS * 1_000 + 60_000,
  );

  test("are caught where they repeat what was not answered", async () => {
    const { server, proxies } = await stage();
    const clients = proxies.map(({ port }, i) => {
      const store = createStore(repeatsUnknown(contendingAdapter(port, PREFIX, 1)), { timeout: 1_500 });
      onTestFinished(() => store.close());
      return new Contender(i, store, randomFrom(SEED + i));
    });
    await using witness = createStore(redis({ port: server.port, prefix: PREFIX }));
    const random = randomFrom(SEED);
    let refused: readonly string[] = [];
    for (let round = 0; round < 40 && refused.length === 0; round++) {
      const ground = groundOf(round, OPERATIONS);
      const playing = Promise.all(clients.map((client) => client.round(ground)));
      let over = false;
      const settled = playing.finally(() => {
        over = true;
      });
      while (!over) {
        const proxy = proxies[Math.floor(random() * CLIENTS)];
        if (proxy === undefined) break;
        await proxy.set({ kind: "drop-answers" });
        await Promise.race([proxy.nextSwallowed(), settled]);
        await proxy.heal();
        proxy.reset();
      }
      const parts: Part[] = await settled;
      const history = [...parts.flatMap((part) => part.history), ...(await lastWords(witness, ground))];
      ({ refused } = checkEntries(history));
    }
    expect(refused.join("\n\n")).toMatch(/^not linearizable/);
  }, 60_000);
});

/** What an eager retry does. */
const repeatsUnknown: Middleware = (inner) =>
  forward(inner, {
    commit: async (namespace, commits) => {
      try {
        return await inner.commit(namespace, commits);
      } catch {
        return inner.commit(namespace, commits);
      }
    },
  });
