// Has an operation under way, then watches, then watches in a loop, each time with nothing else that would keep the
// process alive, and forgets to close its store. A SIGUSR2 ends each watch.

import { setTimeout as sleep } from "node:timers/promises";
import { arangodb } from "@kv/arangodb";
import { type Adapter, createStore, forward } from "@kv/core";
import { hybrid } from "@kv/hybrid";
import { leveldb } from "@kv/leveldb";
import { memory } from "@kv/memory";
import { redis } from "@kv/redis";
import { sqlite } from "@kv/sqlite";
import { tiered } from "@kv/tiered";

const [name = "", directory = "", url = ""] = process.argv.slice(2);

const ADAPTERS: Record<string, () => Adapter> = {
  memory: () => memory(),
  sqlite: () => sqlite({ path: `${directory}/store.db` }),
  leveldb: () => leveldb({ path: `${directory}/store` }),
  hybrid: () =>
    hybrid({
      index: sqlite({ path: `${directory}/index.db` }),
      directory: `${directory}/files`,
      inlineBelow: 16,
    }),
  "tiered through": () => tiered({ near: memory(), far: sqlite({ path: `${directory}/far.db` }) }),
  "tiered behind": () =>
    tiered({ near: memory(), far: sqlite({ path: `${directory}/far.db` }), write: "behind" }),
  redis: () => redis({ url, prefix: `process-life-${process.pid}` }),
  arangodb: () => arangodb({ url: `${url}/process_life` }),
};

/** Its reads are answered by a timer that keeps no process alive. */
function slow(inner: Adapter): Adapter {
  return forward(inner, {
    read: async (...args) => {
      await new Promise<void>((resolve) => setTimeout(resolve, 200).unref());
      return inner.read(...args);
    },
  });
}

const make = ADAPTERS[name];
if (make === undefined) throw new Error(`no adapter is called ${name}`);
const store = createStore(make(), { middleware: [slow], timeout: null });

await store.set("k", "long enough for a file");
console.log(`answered ${await store.get("k")}`);

const changes = store.watch();
const stopped = new Promise<void>((resolve) => {
  process.once("SIGUSR2", () => resolve(changes.return?.().then(() => undefined)));
});
const first = changes.next();
// A watch over a server takes a moment to begin.
let seen = false;
void first.then(() => {
  seen = true;
});
while (!seen) {
  await store.set("k", 1);
  await sleep(50);
}
console.log(`iterating ${(await first).value?.type}`);
for await (const _ of changes);
await stopped;

const subscription = await store.subscribe(() => undefined);
process.once("SIGUSR2", () => {
  void Promise.resolve(subscription.unsubscribe()).then(() => console.log("unsubscribed"));
});
console.log("subscribed");
