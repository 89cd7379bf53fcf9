import { Redis } from "ioredis";
import { expect, onTestFinished, type TestContext, test } from "vitest";
import { needsRedisServer } from "../../services/redis/redis-binary.ts";
import { plainServer, RedisProcess } from "../../services/redis/redis-process.ts";

// Here and not in a test: it may take an installation.
const missing = await needsRedisServer();

async function ownServer(context: TestContext): Promise<{ server: RedisProcess; client: Redis }> {
  if (missing !== undefined) return context.skip(missing.reason);
  const server = await RedisProcess.start({ args: plainServer });
  onTestFinished(() => server.stop());
  const client = new Redis(server.url, { retryStrategy: () => 20 });
  client.on("error", () => undefined);
  onTestFinished(() => client.disconnect());
  return { server, client };
}

test("a killed server comes back on its port, empty", async (context) => {
  const { server, client } = await ownServer(context);
  await client.set("a", 1);
  await server.kill();
  await server.start();
  expect(await client.get("a")).toBeNull();
});

test("a paused server answers once it is resumed", async (context) => {
  const { server, client } = await ownServer(context);
  await client.ping();
  server.pause();
  let answered = false;
  const answer = client.ping().then(() => {
    answered = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(answered).toBe(false);
  server.resume();
  await answer;
});

test("a server that cannot start says what it printed", async (context) => {
  if (missing !== undefined) return context.skip(missing.reason);
  const starting = RedisProcess.start({ args: (place) => [...plainServer(place), "--no-such-option", "1"] });
  await expect(starting).rejects.toThrow(/^redis-server ended with 1:.*no-such-option/s);
});
