import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerRuntimeClient } from "testcontainers";
import { leash } from "./leash.ts";
import { redisVersion } from "./redis-version.ts";
import type { Missing, Service, Way } from "./service.ts";

const image = "redis:8-alpine";

/** A container of its own, through Testcontainers. */
export const container: Way = {
  how: "container",
  async start(): Promise<Service | Missing> {
    const docker = await within(10_000, answeringDocker());
    if (docker === undefined) return { reason: "no Docker daemon answers" };
    let late = false;
    const starting = startContainer(docker);
    // What comes up after it was given up goes down again.
    starting.then((service) => (late ? service.stop() : undefined)).catch(() => undefined);
    try {
      const service = await within(180_000, starting);
      if (service !== undefined) return service;
      late = true;
      return { reason: `Docker did not start ${image} within 180 s` };
    } catch (error) {
      return { reason: `Docker cannot run ${image}: ${firstLine(error)}` };
    }
  },
};

async function answeringDocker(): Promise<ContainerRuntimeClient | undefined> {
  // Loaded only here: it is large, and most runs of a few tests do without.
  const { getContainerRuntimeClient } = await import("testcontainers");
  return getContainerRuntimeClient().catch(() => undefined);
}

async function startContainer(docker: ContainerRuntimeClient): Promise<Service> {
  const { getReaper, ImageName } = await import("testcontainers");
  const { RedisContainer } = await import("@testcontainers/redis");
  const name = ImageName.fromString(image);
  if (!(await docker.image.exists(name))) await docker.image.pull(name);
  // Testcontainers' reaper is an image of its own. Where it cannot be had the leash does its work.
  await getReaper(docker).catch(() => {
    process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
  });
  const started = await new RedisContainer(image)
    // The port is mapped, so clients come from outside of the container's loopback.
    .withCommand(["redis-server", "--save", "", "--appendonly", "no", "--protected-mode", "no"])
    .withStartupTimeout(60_000)
    .start();
  const release = leash("container", started.getId());
  const stop = async (): Promise<void> => {
    await started.stop();
    release();
  };
  try {
    const url = started.getConnectionUrl();
    const { Config } = await docker.image.inspect(name);
    const builtFrom = Config.Labels?.["kv.built-from"];
    const origin = builtFrom === undefined ? `image ${image}` : `image built from ${builtFrom}`;
    const describe = `${await redisVersion(url)} in a container (Testcontainers, ${origin})`;
    return { url, how: "container", describe, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  try {
    return await Promise.race([
      promise,
      sleep(milliseconds, undefined, { signal: done.signal }).catch(() => undefined),
    ]);
  } finally {
    done.abort();
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split("\n", 1)[0] ?? "";
}
