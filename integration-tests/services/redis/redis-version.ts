import { Redis } from "ioredis";

/** `Redis 7.0.15`, as the server reports. Rejects if it does not answer. */
export async function redisVersion(url: string): Promise<string> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let cause: Error | undefined;
  client.on("error", (error) => {
    cause = error;
  });
  try {
    await client.connect();
    const lines = (await client.info("server")).split(/\r?\n/);
    const value = (name: string): string | undefined =>
      lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1);
    const valkey = value("valkey_version");
    return valkey === undefined ? `Redis ${value("redis_version")}` : `Valkey ${valkey}`;
  } catch (error) {
    // "Connection is closed." is less useful than the error that closed it.
    throw cause ?? error;
  } finally {
    client.disconnect();
  }
}
