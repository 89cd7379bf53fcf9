import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Missing, Service } from "../service.ts";
import { needsRedisServer } from "./redis-binary.ts";
import { plainServer, RedisProcess } from "./redis-process.ts";
import { redisVersion } from "./redis-version.ts";

export interface RedisSentinel extends Service {
  /** The sentinels' name of the master. `url` is its first address. */
  readonly name: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** For tests that kill them. */
  readonly processes: {
    readonly master: RedisProcess;
    readonly replica: RedisProcess;
    readonly sentinels: readonly RedisProcess[];
  };
}

export interface RedisSentinelOptions {
  /** Milliseconds that the master may be silent before the sentinels consider it dead: 3 s. */
  readonly downAfter?: number;
}

const name = "kv";

/** A master, its replica, and three sentinels, of which two must agree. */
export async function redisSentinel(options: RedisSentinelOptions = {}): Promise<RedisSentinel | Missing> {
  const missing = await needsRedisServer();
  if (missing !== undefined) return missing;
  const { downAfter = 3_000 } = options;
  const started: RedisProcess[] = [];
  const start = async (process: Promise<RedisProcess>): Promise<RedisProcess> => {
    started.push(await process);
    return process;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((process) => process.stop()));
  };
  try {
    const master = await start(startServer([]));
    const replica = await start(startServer(["--replicaof", master.host, String(master.port)]));
    const sentinels: RedisProcess[] = [];
    while (sentinels.length < 3) sentinels.push(await start(startSentinel(master, downAfter)));
    await Promise.all(sentinels.map(acquainted));
    return {
      url: master.url,
      how: "binary",
      describe: `${await redisVersion(master.url)}, a master, a replica and 3 sentinels (down after ${downAfter} ms)`,
      name,
      sentinels: sentinels.map(({ host, port }) => ({ host, port })),
      processes: { master, replica, sentinels },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startServer(options: readonly string[]): Promise<RedisProcess> {
  return RedisProcess.start({
    args: (place) => [...plainServer(place), "--repl-diskless-sync-delay", "0", ...options],
  });
}

/** `redis-server --sentinel`: wherever there is a redis-server there is a sentinel. */
function startSentinel(master: RedisProcess, downAfter: number): Promise<RedisProcess> {
  return RedisProcess.start({
    args({ port, directory }) {
      // A file, because a sentinel stores what it learns there, and reads it after a restart.
      const file = join(directory, "sentinel.conf");
      if (existsSync(file)) return [file, "--sentinel"];
      const lines = [
        `port ${port}`,
        "bind 127.0.0.1",
        `dir "${directory}"`,
        `sentinel monitor ${name} ${master.host} ${master.port} 2`,
        `sentinel down-after-milliseconds ${name} ${downAfter}`,
        `sentinel failover-timeout ${name} ${4 * downAfter}`,
      ];
      writeFileSync(file, `${lines.join("\n")}\n`);
      return [file, "--sentinel"];
    },
    ready: /\+monitor master/,
  });
}

/** Resolves once the sentinel knows the replica and the other two: before that it cannot fail over. */
async function acquainted({ url, port }: RedisProcess): Promise<void> {
  const client = new Redis(url);
  client.on("error", () => undefined);
  try {
    for (let attempt = 0; attempt < 300; attempt++) {
      const answer = (await client.call("SENTINEL", "MASTER", name)) as string[];
      const field = (of: string): string | undefined => answer[answer.indexOf(of) + 1];
      if (field("num-slaves") === "1" && field("num-other-sentinels") === "2") return;
      await sleep(100);
    }
    throw new Error(`the sentinel on port ${port} did not find the others within 30 s`);
  } finally {
    client.disconnect();
  }
}
