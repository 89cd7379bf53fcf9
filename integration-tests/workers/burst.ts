/**
 * Writes in bursts until it is killed, and journals what was acknowledged. A burst `b` sets the keys `s0` to `s19` to
 * `b`, each for itself, and `m0` to `m4` to `b` in one commit. The journal goes to standard output, synchronously:
 * a line that was written is in the pipe, whatever becomes of this process.
 */
import { writeSync } from "node:fs";
import { createStore } from "@kv/core";
import { sqlite } from "@kv/sqlite";

const [path = "", durability = "fast", first = "1"] = process.argv.slice(2);
const store = createStore(sqlite({ path, durability: durability === "full" ? "full" : "fast" }));
const journal = (line: string): void => void writeSync(1, `${line}\n`);

for (let burst = Number(first); ; burst++) {
  journal(`begin ${burst}`);
  const singles = Array.from({ length: 20 }, async (_, i) => {
    await store.set(`s${i}`, burst);
    journal(`s${i} ${burst}`);
  });
  const atomic = store.atomic();
  for (let i = 0; i < 5; i++) atomic.set(`m${i}`, burst);
  const multi = atomic.commit().then(() => journal(`m ${burst}`));
  await Promise.all([...singles, multi]);
}
