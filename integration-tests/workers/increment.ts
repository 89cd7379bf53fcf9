/** Increments one counter many times, partly at once and partly one by one. Its last line reports the result. */
import { createStore } from "@kv/core";
import { sqlite } from "@kv/sqlite";

const [path = "", times = "0"] = process.argv.slice(2);
const store = createStore(sqlite({ path }));
const errors = new Map<string, number>();
let left = Number(times);

const increment = async (): Promise<void> => {
  try {
    await store.increment("counter");
  } catch (error) {
    const name = error instanceof Error && "code" in error ? String(error.code) : String(error);
    errors.set(name, (errors.get(name) ?? 0) + 1);
  }
};

while (left > 0) {
  // Bursts of 1 to 40, so that both the single statement and the transaction of a tick meet the other process.
  const burst = Math.min(left, 1 + (left % 40));
  left -= burst;
  await Promise.all(Array.from({ length: burst }, increment));
}
await store.close();
process.stdout.write(`${JSON.stringify({ errors: Object.fromEntries(errors) })}\n`);
