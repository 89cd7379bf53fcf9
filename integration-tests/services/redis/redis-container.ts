import type { ContainerRuntimeClient } from "testcontainers";
import { inDocker } from "../docker.ts";
import { leash } from "../leash.ts";
import type { Service, Way } from "../service.ts";
import { redisVersion } from "./redis-version.ts";

const image = "redis:8-alpine";

/** A new container, through Testcontainers. */
export const container: Way = {
  how: "container",
  start: () => inDocker(image, startContainer),
};

async function startContainer(docker: ContainerRuntimeClient): Promise<Service> {
  const { ImageName } = await import("testcontainers");
  const { RedisContainer } = await import("@testcontainers/redis");
  const started = await new RedisContainer(image)
    // The port is mapped, so clients do not come from the container's loopback.
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
    const { Config } = await docker.image.inspect(ImageName.fromString(image));
    const builtFrom = Config.Labels?.["kv.built-from"];
    const origin = builtFrom === undefined ? `image ${image}` : `image built from ${builtFrom}`;
    const describe = `${await redisVersion(url)} in a container (Testcontainers, ${origin})`;
    return { url, how: "container", describe, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
