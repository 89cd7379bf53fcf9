import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import type { Missing, Service } from "../service.ts";
import { needsRedisServer, runs } from "./redis-binary.ts";
import { plainServer, RedisProcess } from "./redis-process.ts";
import { redisVersion } from "./redis-version.ts";

const run = promisify(execFile);

export interface RedisCluster extends Service {
  /** Three masters and three replicas. `url` is the first one's. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** The same nodes as processes, in the same order, for tests that kill them. */
  readonly processes: readonly RedisProcess[];
}

export interface RedisClusterOptions {
  /** Milliseconds that a node may be silent before the others replace it: 5 s, as a busy machine stalls for 1 or 2 s. */
  readonly nodeTimeout?: number;
}

/** Six `redis-server` processes on loopback: three masters, each with a replica. */
export async function redisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster | Missing> {
  const missing = await needsRedisServer();
  if (missing !== undefined) return missing;
  if (!runs("redis-cli")) return { reason: "no redis-cli is on the PATH, to make a cluster" };
  const { nodeTimeout = 5_000 } = options;
  const processes: RedisProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((node) => node.stop()));
  };
  try {
    while (processes.length < 6) processes.push(await startNode(nodeTimeout));
    const addresses = processes.map(({ host, port }) => `${host}:${port}`);
    await run(
      "redis-cli",
      ["--cluster", "create", ...addresses, "--cluster-replicas", "1", "--cluster-yes"],
      { timeout: 30_000 },
    );
    await Promise.all(processes.map(settled));
    const url = processes[0]!.url;
    return {
      url,
      how: "binary",
      describe: `${await redisVersion(url)}, a cluster of 6 (3 masters, 3 replicas; node timeout ${nodeTimeout} ms)`,
      nodes: processes.map(({ host, port }) => ({ host, port })),
      processes,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startNode(nodeTimeout: number): Promise<RedisProcess> {
  return RedisProcess.start({
    args: (place) => [
      ...plainServer(place),
      ...["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"],
      ...["--cluster-node-timeout", String(nodeTimeout)],
      // A replica is complete at once, not after the five seconds in which other replicas might ask for the same copy.
      ...["--repl-diskless-sync-delay", "0"],
    ],
  });
}

/** Resolves once the node knows all slots and all replicas and, as a replica, has its master's data. */
async function settled({ url, port }: RedisProcess): Promise<void> {
  const client = new Redis(url);
  client.on("error", () => undefined);
  try {
    for (let attempt = 0; attempt < 300; attempt++) {
      const cluster = String(await client.cluster("INFO"));
      const replication = await client.info("replication");
      const nodes = String(await client.cluster("NODES"));
      // Roles spread more slowly than slots: for about a second, a replica appears as a master without slots.
      const whole = /^cluster_state:ok/m.test(cluster) && nodes.match(/\bslave\b/g)?.length === 3;
      const linked = /^master_link_status:up/m.test(replication) || /^connected_slaves:1/m.test(replication);
      if (whole && linked) return;
      await sleep(100);
    }
    throw new Error(`the cluster's node on port ${port} was not ready within 30 s`);
  } finally {
    client.disconnect();
  }
}
