import { spawnSync } from "node:child_process";
import type { Missing, Service, Way } from "../service.ts";
import { installRedis } from "./redis-install.ts";
import { plainServer, RedisProcess } from "./redis-process.ts";
import { redisVersion } from "./redis-version.ts";

interface Machine {
  onPath(): boolean;
  /** `undefined`: it is installed now. */
  install(): Promise<Missing | undefined>;
}

const thisMachine: Machine = { onPath: () => runs("redis-server"), install: installRedis };

/** A `redis-server` process, from the PATH. */
export const binary: Way = {
  how: "binary",
  async start(): Promise<Service | Missing> {
    const missing = await needsRedisServer();
    if (missing !== undefined) return missing;
    const server = await RedisProcess.start({ args: plainServer });
    return {
      url: server.url,
      how: "binary",
      describe: `${await redisVersion(server.url)}, the redis-server on the PATH`,
      stop: () => server.stop(),
    };
  },
};

/** Provides a `redis-server` on the PATH, or returns why it cannot. */
export async function needsRedisServer({ onPath, install } = thisMachine): Promise<Missing | undefined> {
  if (onPath()) return undefined;
  const missing = await install();
  if (missing !== undefined) return { reason: `no redis-server is on the PATH, and ${missing.reason}` };
  return onPath() ? undefined : { reason: "no redis-server is on the PATH, although it was installed" };
}

export function runs(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}
