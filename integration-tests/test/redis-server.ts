import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A Redis that tests may write to. */
export interface RedisServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The one that KV_TEST_REDIS_URL names, else one of its own from a binary on the PATH; `undefined`: there is neither. */
export async function redisServer(): Promise<RedisServer | undefined> {
  const url = process.env["KV_TEST_REDIS_URL"];
  if (url !== undefined && url !== "") return { url, stop: async () => undefined };
  if (spawnSync("redis-server", ["--version"]).status !== 0) return undefined;
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), "kv-redis-"));
  const server = spawn("redis-server", ["--port", String(port), "--save", "", "--dir", directory], {
    stdio: "ignore",
  });
  while (!(await answers(port))) await sleep(20);
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      server.kill("SIGKILL");
      if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
