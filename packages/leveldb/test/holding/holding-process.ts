/** Opens the store at the given path, reports that, and keeps it open until it is killed. */
import { createStore } from "@kv/core";
import { leveldb } from "../../src/index.ts";

const store = createStore(leveldb({ path: process.argv[2] ?? "" }));
await store.set("written", "by the holder");
process.send?.("open");
setInterval(() => undefined, 1000);
