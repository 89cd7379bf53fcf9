/** Reads `k` while no file descriptor is left, and again when there are some: `without-descriptors.ts <path>`. */
import { closeSync, openSync } from "node:fs";
import { createStore, KvError } from "@kv/core";
import { sqlite } from "../../src/index.ts";

const [path = ""] = process.argv.slice(2);
// The driver is loaded by then.
const inMemory = createStore(sqlite({ path: ":memory:" }));
await inMemory.get("k");
const store = createStore(sqlite({ path }));
const taken: number[] = [];
try {
  for (;;) taken.push(openSync("/dev/null", "r"));
} catch {}
await store.get("k").catch((error: unknown) => {
  const refused = KvError.is(error) ? `${error.code} ${error.message}` : String(error);
  for (const descriptor of taken) closeSync(descriptor);
  console.log(refused);
});
console.log("later", await store.get("k"));
await store.close();
await inMemory.close();
