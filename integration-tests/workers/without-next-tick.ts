// Uses a store over memory while `process.nextTick` never calls back, as under a fake clock that has taken its place. A
// process of its own: Node's streams, and with them a test runner's messages, live by it.

import { createStore } from "@kv/core";
import { memory } from "@kv/memory";

const store = createStore(memory());
const { nextTick } = process;
process.nextTick = () => undefined;
await Promise.all([store.set("a", 1), store.set("a", 2), store.get("a")]);
await store.setMany(Array.from({ length: 3000 }, (_, i) => [`k${i}`, i] as const));
let scanned = 0;
for await (const _ of store.values({ prefix: "k" })) scanned++;
const changes = store.watch();
await store.set("b", 1);
const change = await changes.next();
await changes.return?.();
await Promise.all(Array.from({ length: 8 }, () => store.update("n", (n = 0) => Number(n) + 1)));
const counted = await store.get("n");
await store.close();
process.nextTick = nextTick;
console.log(JSON.stringify({ scanned, change: change.value?.key, counted }));
