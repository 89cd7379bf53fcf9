/** Reads `k` of a store that is opened with `readOnly`, and prints it or the error's message: `read.ts <path>`. */
import { createStore } from "@kv/core";
import { sqlite } from "../../src/index.ts";

const [path = ""] = process.argv.slice(2);
const store = createStore(sqlite({ path, readOnly: true }));
try {
  console.log(JSON.stringify(await store.get("k")));
} catch (error) {
  console.log(String(error));
}
await store.close();
