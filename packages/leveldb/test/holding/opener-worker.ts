/** A thread that opens the store at the given path, reports that, and keeps it open until it is terminated. */
import { parentPort, workerData } from "node:worker_threads";
import { createStore } from "@kv/core";
import { leveldb } from "../../src/index.ts";

const store = createStore(leveldb({ path: workerData }));
await store.set("written", "by the thread");
parentPort?.postMessage("open");
setInterval(() => undefined, 1000);
