/**
 * Fills and empties namespaces that other processes fill, empty and sweep, and ends with 1 if anything that it wrote
 * was missing: `tenants.ts <path> <name> <rounds>`.
 */
import { createStore } from "@kv/core";
import { sqlite } from "../../src/index.ts";

const [path = "", name = "", rounds = "1"] = process.argv.slice(2);
let store = createStore(sqlite({ path }), { sweepInterval: null, timeout: "1m" });

function expectThat(holds: boolean, what: string): void {
  if (holds) return;
  console.error(`${name}: ${what}`);
  process.exit(1);
}

for (let i = 0; i < Number(rounds); i++) {
  const tenant = store.namespace("tenant", String((i * 7 + name.length) % 5));
  const key = `${name}:${i}`;
  await tenant.set(key, i);
  expectThat((await tenant.get(key)) === i, `set ${key}`);
  expectThat((await tenant.take(key)) === i, `take ${key}`);
  await Promise.all([tenant.increment(key), tenant.set(`${key}+`, i)]);
  expectThat((await tenant.deleteMany([key, `${key}+`])) === 2, `increment ${key}`);
  const revision = await tenant.create(key, i);
  expectThat(revision !== undefined, `create ${key}`);
  expectThat(await tenant.delete(key, { revision: revision ?? "" }), `delete ${key}`);
  if (i % 5 === 0) await store.sweep();
  if (i % 20 === 19) {
    await store.close();
    store = createStore(sqlite({ path }), { sweepInterval: null, timeout: "1m" });
  }
}
await store.close();
