/** Set for this process and its children while the server runs. */
const VARIABLE = "KV_BENCH_REDIS_URL";

/** The numbered databases from here on are the contenders', one each: a SCAN sees every name of its database. */
const FIRST = 9;

const OWNERS = [
  "@kv/redis",
  "ioredis",
  "ioredis, auto-pipelining",
  "@keyv/redis",
  "unstorage",
  "@kv/hybrid",
  "ioredis, bytes",
] as const;

export const redisDatabaseNumbers: readonly number[] = OWNERS.map((_, index) => FIRST + index);

export function announceRedis(url: string): void {
  process.env[VARIABLE] = url;
}

/** The URL of a contender's own database. @throws where no server was announced */
export function redisDatabase(owner: (typeof OWNERS)[number]): string {
  const server = process.env[VARIABLE];
  if (server === undefined) throw new Error("there is no Redis server");
  const url = new URL(server);
  url.pathname = `/${FIRST + OWNERS.indexOf(owner)}`;
  return url.href;
}
