/**
 * Writes in bursts until it is killed, and journals what was acknowledged. The journal goes to standard output,
 * synchronously: a line that was written is in the pipe, whatever becomes of this process. What burst `b` does:
 *
 * | journal | acknowledges |
 * |---|---|
 * | `begin b` | nothing: from here on the burst's writes may be found |
 * | `s3 b` | the key was set to `b`, by itself |
 * | `t1 b` | the same, with a deadline an hour away |
 * | `d2 b` `gone2 b` | the key was set to `b`; it was deleted |
 * | `count n` | the key `count` was incremented to `n` |
 * | `m b` | one commit set `m0` to `m4` to `b` (with a tail of up to 48 kB), incremented `m5`, and set (odd `b`) or deleted (even) `m6` |
 *
 * Beside that it sweeps entries that live for a millisecond.
 */
import { writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { createStore, type Duration } from "@kv/core";
import { persistentAdapter } from "./persistent-adapter.ts";

const [name = "", directory = "", durability = "fast", first = "1"] = process.argv.slice(2);
const adapter = await persistentAdapter(name, directory, {
  durability: durability === "full" ? "full" : "fast",
});
const store = createStore(adapter, { sweepInterval: null });
flushCompileCache();
const journal = (line: string): void => void writeSync(1, `${line}\n`);

async function setAndJournal(key: string, burst: number, ttl?: Duration): Promise<void> {
  await store.set(key, burst, { ttl });
  journal(`${key} ${burst}`);
}

async function setAndDelete(i: number, burst: number): Promise<void> {
  await setAndJournal(`d${i}`, burst);
  await store.delete(`d${i}`);
  journal(`gone${i} ${burst}`);
}

async function count(): Promise<void> {
  journal(`count ${await store.increment("count")}`);
}

async function together(burst: number): Promise<void> {
  const atomic = store.atomic();
  const tail = "m".repeat((burst * 7919) % 48_000);
  for (let i = 0; i < 4; i++) atomic.set(`m${i}`, { burst, tail: i === 3 ? tail : "" });
  atomic.set("m4", { burst, tail: "" }, { ttl: "1h" }).increment("m5");
  if (burst % 2 === 1) atomic.set("m6", burst);
  else atomic.delete("m6");
  await atomic.commit();
  journal(`m ${burst}`);
}

function times(count: number, work: (i: number) => Promise<void>): Promise<void>[] {
  return Array.from({ length: count }, (_, i) => work(i));
}

for (let burst = Number(first); ; burst++) {
  journal(`begin ${burst}`);
  await Promise.all([
    ...times(8, (i) => setAndJournal(`s${i}`, burst)),
    ...times(3, (i) => setAndJournal(`t${i}`, burst, "1h")),
    ...times(3, (i) => setAndDelete(i, burst)),
    together(burst),
    ...times(4, count),
    ...times(3, async (i) => void (await store.set(`brief${i}`, burst, { ttl: 0.001 }))),
    store.sweep(),
  ]);
}
