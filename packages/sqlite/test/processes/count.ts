/** Increments `counter` so many times: `count.ts <path> <times>`. */
import { createStore } from "@kv/core";
import { sqlite } from "../../src/index.ts";

const [path = "", times = "1"] = process.argv.slice(2);
const store = createStore(sqlite({ path }));
for (let i = 0; i < Number(times); i++) await store.increment("counter");
await store.close();
