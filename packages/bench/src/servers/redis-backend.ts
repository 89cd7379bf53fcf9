import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { messageOf } from "../workload/opened.ts";
import type { Backend, NoBackend } from "./backend.ts";
import { announceRedis, redisDatabaseNumbers } from "./redis-databases.ts";

const PATIENCE_MS = 10_000;

/** The server that KV_TEST_REDIS_URL names, else one of our own from a binary on the PATH. */
export async function redisBackend(): Promise<Backend | NoBackend> {
  const given = process.env["KV_TEST_REDIS_URL"];
  if (given !== undefined && given !== "") {
    return connected(given, async () => undefined).catch((error: unknown) => ({
      leftOut: `the Redis server of KV_TEST_REDIS_URL cannot be used: ${messageOf(error)}`,
    }));
  }
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "kv-bench-redis-"));
  const server = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
    { stdio: "ignore" },
  );
  const stop = async (): Promise<void> => {
    await killed(server);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    // Rejects where there is no such program.
    await once(server, "spawn");
    return await connected(`redis://127.0.0.1:${port}`, stop);
  } catch (error) {
    await stop();
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    const reason = isAbsent ? "there is none on the PATH" : messageOf(error);
    return {
      leftOut: `it needs a Redis server: name one in KV_TEST_REDIS_URL, or have \`redis-server\` on the PATH (${reason})`,
    };
  }
}

async function connected(url: string, stop: () => Promise<void>): Promise<Backend> {
  // Loaded only here, so that a run of other groups does not load it.
  const { Redis } = await import("ioredis");
  const client: Redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: (times) => (times * 50 > PATIENCE_MS ? null : 50),
    maxRetriesPerRequest: null,
  });
  // Without a listener every refused attempt would be printed. The caller gets the last error.
  let last = new Error("no answer");
  client.on("error", (error: Error) => {
    last = error;
  });
  try {
    await ready(client);
    await refuseForeignData(client);
  } catch (error) {
    client.disconnect();
    throw client.status === "end" ? last : error;
  }
  announceRedis(url);
  const clear = async (): Promise<void> => {
    for (const number of redisDatabaseNumbers) await client.multi().select(number).flushdb("SYNC").exec();
  };
  return {
    clear,
    async stop() {
      await clear();
      client.disconnect();
      await stop();
    },
  };
}

/** A server of our own needs a moment before it listens. */
async function ready(client: Redis): Promise<void> {
  const ended = once(client, "end").then(() => Promise.reject(new Error("the connection ended")));
  client.connect().catch(() => undefined);
  await Promise.race([client.ping(), ended]);
}

/** A database that is cleared later must be empty before: on a shared server its data could be another user's. */
async function refuseForeignData(client: Redis): Promise<void> {
  for (const number of redisDatabaseNumbers) {
    await client.select(number);
    const size = await client.dbsize();
    if (size > 0)
      throw new Error(`its database ${number} holds ${size} keys, and the benchmarks would delete them`);
  }
}

async function killed(server: ChildProcess): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, "exit");
  server.kill("SIGKILL");
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
