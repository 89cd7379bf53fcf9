/** A thread that hands in the database at the given path, which another thread has open, and reports the outcome. */
import { parentPort, workerData } from "node:worker_threads";
import { createStore, KvError } from "@kv/core";
import { ClassicLevel } from "classic-level";
import { leveldb } from "../../src/index.ts";

const { path, prefix } = workerData as { path: string; prefix: string };
const database = new ClassicLevel(path, { multithreading: true });
const store = createStore(leveldb({ database, prefix }));
try {
  await store.increment("n");
  parentPort?.postMessage("open");
} catch (error) {
  parentPort?.postMessage(KvError.is(error) ? `${error.code} ${error.message}` : String(error));
}
await store.close();
await database.close();
