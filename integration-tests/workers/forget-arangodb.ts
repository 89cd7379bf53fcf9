// Uses a store over ArangoDB and forgets to close it: the process is to end by itself.

import { arangodb, links } from "@kv/arangodb";
import { createStore } from "@kv/core";

const [url = "", how = "used"] = process.argv.slice(2);
const store = createStore(arangodb({ url, requestTimeout: 4000 }), { timeout: 30 });
await store.setMany([
  ["k", how],
  ["l", how],
]);
await links(store).link("k", "to", "l");
await store.sweep();
if (how === "watched") {
  const subscription = await store.subscribe(() => undefined);
  await store.set("k", 2);
  await subscription.unsubscribe();
}
// The server does not answer this one, or stops in the middle.
if (how !== "used" && how !== "watched") await store.get(how).catch(() => undefined);
console.log("done");
