import { setTimeout as sleep } from "node:timers/promises";
import { createStore, type KvError, type Store } from "@kv/core";
import { onTestFinished } from "vitest";
import { type RedisOptions, redis } from "../../src/index.ts";
import { type FaultProxy, startProxy } from "./fault-proxy.ts";
import { startServer, type TestServer } from "./server.ts";

export async function serverFor(...options: string[]): Promise<TestServer> {
  const server = await startServer(options);
  onTestFinished(() => server.stop());
  return server;
}

export async function proxyFor(server: TestServer): Promise<FaultProxy> {
  const proxy = await startProxy(server.port);
  onTestFinished(() => proxy.close());
  return proxy;
}

export function storeOn(options: RedisOptions, timeout?: number): Store {
  const store = createStore(redis(options), timeout === undefined ? {} : { timeout });
  onTestFinished(() => store.close());
  return store;
}

export async function refusalOf(promise: Promise<unknown>): Promise<KvError> {
  return promise.then(
    () => Promise.reject(new Error("it was not refused")),
    (error: KvError) => error,
  );
}

export async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await sleep(50);
    }
  }
}

/** The keys of a store, in order. */
export async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.keys()) keys.push(key);
  return keys;
}
