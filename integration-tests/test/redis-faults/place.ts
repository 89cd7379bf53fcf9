import { createStore, type Store } from "@kv/core";
import { redis } from "@kv/redis";
import { Redis } from "ioredis";
import { FaultProxy } from "../../proxy/fault-proxy.ts";
import { plainServer, RedisProcess } from "../../services/redis/redis-process.ts";

/** Milliseconds after which the store under test gives an operation up. */
export const TIMEOUT_MS = 4_000;
/** Milliseconds of silence after which its connections are given up. */
export const SILENCE_MS = 1_200;

export const PASSWORD = "the right one";

/** A server of its own, and a store that reaches it through a proxy only. */
export interface Place extends AsyncDisposable {
  readonly server: RedisProcess;
  readonly proxy: FaultProxy;
  /** Through the proxy. */
  readonly store: Store;
  /** Another client of the same data, on a connection without network faults. */
  readonly witness: Store;
  /** A bare client for what administrators do. */
  readonly admin: Redis;
}

export async function placeOf(): Promise<Place> {
  const server = await RedisProcess.start({
    args: (place) => [...plainServer(place), "--requirepass", PASSWORD],
  });
  const proxy = await FaultProxy.start({ host: server.host, port: server.port });
  const admin = new Redis(server.port, server.host, { password: PASSWORD, retryStrategy: () => 20 });
  admin.on("error", () => undefined);
  const options = { password: PASSWORD, prefix: "faults:", connectTimeout: SILENCE_MS };
  const store = createStore(
    redis({ ...options, port: proxy.port, socketTimeout: SILENCE_MS, busyTimeout: 1_500 }),
    { timeout: TIMEOUT_MS },
  );
  const witness = createStore(redis({ ...options, port: server.port }));
  return {
    server,
    proxy,
    store,
    witness,
    admin,
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([store.close(), witness.close()]);
      admin.disconnect();
      await proxy.close();
      await server.stop();
    },
  };
}

/** Resolves once an attempt succeeds. Rejects with its last error where none does within 15 s. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const until = performance.now() + 15_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
