import { Redis } from "ioredis";
import type { Stop } from "./stop.ts";

/** The prefix of all the tour's names, in a database that may hold other data. */
export const PREFIX = "kv-tour:";

/** Redis, on a server that the user named for this. Nothing is left there. */
export function redisStop(url: string): Stop {
  const forget = (): Promise<void> => removeNames(url);
  return { title: "Redis", config: { adapter: "redis", url, prefix: PREFIX }, forget, leave: forget };
}

/**
 * Clearing a store leaves its own records; this removes them, too. In all its names a brace follows the prefix.
 * @throws Error if the server cannot be reached, without its URL, which may hold a password
 */
async function removeNames(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, connectTimeout: 5_000, retryStrategy: () => null });
  let cause: Error | undefined;
  client.on("error", (error) => {
    cause = error;
  });
  try {
    await client.connect();
    for await (const names of client.scanStream({ match: `${PREFIX}{*`, count: 1_000 })) {
      if ((names as string[]).length > 0) await client.unlink(names as string[]);
    }
  } catch (error) {
    // "Connection is closed." says less than the error that closed it.
    const { message } = cause ?? (error as Error);
    throw new Error(`the Redis that KV_TEST_REDIS_URL names cannot be used: ${message}`);
  } finally {
    client.disconnect();
  }
}
