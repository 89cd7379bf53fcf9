// One Redis for tests. `npm test` takes the first available of: the server that KV_TEST_REDIS_URL names, a
// container, a `redis-server` on the PATH, one that apt-get installs. With KV_TEST_FULL=1 the tests run on each kind.

import { eachOf, firstOf, type Missing, type Service, type Way } from "../service.ts";
import { binary } from "./redis-binary.ts";
import { container } from "./redis-container.ts";
import { environment } from "./redis-environment.ts";

const ways: readonly Way[] = [environment, container, binary];

export function redisServer(order: readonly Way[] = ways): Promise<Service | Missing> {
  return firstOf(order);
}

/** Every single server that the tests are to run on. Never empty: a missing server is in it with the reason. */
export async function redisServers(
  full: boolean = process.env["KV_TEST_FULL"] === "1",
  order: readonly Way[] = ways,
): Promise<(Service | Missing)[]> {
  if (!full) return [await firstOf(order)];
  // The URL is optional: without it, nothing is missing.
  const offered = (process.env["KV_TEST_REDIS_URL"] ?? "") !== "";
  return eachOf(order.filter(({ how }) => offered || how !== "environment"));
}
