/** Watches one key and says every value it sees, one a line; the first line says that it is watching. */
import { createStore } from "@kv/core";
import { sqlite } from "@kv/sqlite";

const [path = "", key = ""] = process.argv.slice(2);
const store = createStore(sqlite({ path }));
await store.subscribe(
  (change) => {
    process.stdout.write(`${change.type === "set" ? JSON.stringify(change.value) : change.type}\n`);
  },
  { gte: key, lte: key },
);
process.stdout.write("watching\n");
process.stdin.on("end", () => void store.close().then(() => process.exit(0))).resume();
