import { Redis } from "ioredis";
import type { Stop } from "./stop.ts";

/** What all names of the tour begin with, in a database that may be somebody's. */
export const PREFIX = "kv-tour:";

/** Redis, on a server that somebody named for this: nothing is left there. */
export function redisStop(url: string): Stop {
  const forget = (): Promise<void> => removeNames(url);
  return { title: "Redis", config: { adapter: "redis", url, prefix: PREFIX }, forget, leave: forget };
}

/**
 * A store may be cleared, but what it knows about itself stays; here that goes, too. After the prefix its names go on
 * with a brace. @throws Error where the server cannot be reached, without its URL, which may hold a password
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
    // "Connection is closed." says less than what closed it.
    const { message } = cause ?? (error as Error);
    throw new Error(`the Redis that KV_TEST_REDIS_URL names cannot be used: ${message}`);
  } finally {
    client.disconnect();
  }
}
