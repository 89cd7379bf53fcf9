import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { TestContext } from "vitest";

/** A server that only one test file uses, so that it may stop, fill and flush it. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** A bare client of the driver. */
  readonly bare: Redis;
  stop(): Promise<void>;
}

/** The reason why no server can be started here; `undefined`: one can be. */
export const noServer: string | undefined =
  spawnSync("redis-server", ["--version"]).status === 0 ? undefined : "needs a redis-server on the PATH";

/** Call it before each test that needs a server. */
export function needsServer(context: TestContext): void {
  context.skip(noServer !== undefined, noServer);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Starts a server that keeps nothing on disk. */
export async function startServer(options: readonly string[] = [], on?: number): Promise<TestServer> {
  const port = on ?? (await freePort());
  const directory = mkdtempSync(join(tmpdir(), "kv-redis-"));
  const child = spawn(
    "redis-server",
    [
      "--port",
      String(port),
      "--save",
      "",
      "--appendonly",
      "no",
      "--dir",
      directory,
      "--repl-diskless-sync-delay",
      "0",
      ...options,
    ],
    { stdio: "ignore" },
  );
  const bare = new Redis(port, "127.0.0.1", { lazyConnect: true, retryStrategy: () => 20 });
  bare.on("error", () => undefined);
  await answering(bare, child);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    bare,
    async stop() {
      bare.disconnect();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Resolves once the server is up; a demand for a password is an answer, too. */
async function answering(bare: Redis, child: ChildProcess): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await bare.ping();
      return;
    } catch (error) {
      if (String(error).includes("NOAUTH")) return;
      if (child.exitCode !== null || attempt > 200) throw error;
      await sleep(20);
    }
  }
}
