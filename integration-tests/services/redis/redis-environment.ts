import type { Missing, Service, Way } from "../service.ts";
import { redisVersion } from "./redis-version.ts";

/** The server that KV_TEST_REDIS_URL names. The tests write to it. */
export const environment: Way = {
  how: "environment",
  async start(): Promise<Service | Missing> {
    const url = process.env["KV_TEST_REDIS_URL"] ?? "";
    if (url === "") return { reason: "KV_TEST_REDIS_URL is not set" };
    const { host } = new URL(url);
    try {
      return {
        url,
        how: "environment",
        describe: `${await redisVersion(url)}, which KV_TEST_REDIS_URL names (${host})`,
        stop: async () => undefined,
      };
    } catch (error) {
      // A server that is named must be used: another one in its place would hide that it is down.
      throw new Error(`KV_TEST_REDIS_URL names a server that does not answer (${host}): ${error}`);
    }
  },
};
