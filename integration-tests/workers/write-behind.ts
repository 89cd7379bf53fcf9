/**
 * Writes behind, to a far tier that is away for so many milliseconds, and forgets to close the store. The near tier is in
 * memory, or LevelDB.
 */
import { createStore, forward, Refusal } from "@kv/core";
import { leveldb } from "@kv/leveldb";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { tiered } from "@kv/tiered";

const [directory = "", near = "", milliseconds = "0"] = process.argv.slice(2);
const far = sqlite({ path: `${directory}/far.db` });
let until = 0;
const store = createStore(
  tiered({
    near: near === "memory" ? memory() : leveldb({ path: `${directory}/near` }),
    far: forward(far, {
      commit(namespace, commits) {
        if (Date.now() < until) throw new Refusal("KV_UNAVAILABLE", "the far tier is away");
        return far.commit(namespace, commits);
      },
    }),
    write: "behind",
    backoff: () => 50,
  }),
);
await store.has("open");
until = Date.now() + Number(milliseconds);
await store.set("k", 1);
console.log("written");
