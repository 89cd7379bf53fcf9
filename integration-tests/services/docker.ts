import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerRuntimeClient } from "testcontainers";
import type { Missing, Service } from "./service.ts";

/** A container of an image, or the reason why it is missing, in one sentence. */
export async function inDocker(
  image: string,
  start: (docker: ContainerRuntimeClient) => Promise<Service>,
): Promise<Service | Missing> {
  const docker = await within(10_000, answeringDocker());
  if (docker === undefined) return { reason: "no Docker daemon answers" };
  let late = false;
  const starting = withImage(docker, image).then(() => start(docker));
  // A container that starts after it was given up is stopped again.
  starting.then((service) => (late ? service.stop() : undefined)).catch(() => undefined);
  try {
    const service = await within(180_000, starting);
    if (service !== undefined) return service;
    late = true;
    return { reason: `Docker did not start ${image} within 180 s` };
  } catch (error) {
    return { reason: `Docker cannot run ${image}: ${firstLine(error)}` };
  }
}

async function answeringDocker(): Promise<ContainerRuntimeClient | undefined> {
  // Loaded only here: it is large, and most runs of a few tests do without.
  const { getContainerRuntimeClient } = await import("testcontainers");
  return getContainerRuntimeClient().catch(() => undefined);
}

async function withImage(docker: ContainerRuntimeClient, image: string): Promise<void> {
  const { getReaper, ImageName } = await import("testcontainers");
  const name = ImageName.fromString(image);
  if (!(await docker.image.exists(name))) await docker.image.pull(name);
  // Testcontainers' reaper is another image. If it cannot be pulled, the leash does its work.
  await getReaper(docker).catch(() => {
    process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
  });
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
