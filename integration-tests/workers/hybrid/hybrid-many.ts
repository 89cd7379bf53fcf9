/**
 * Does everything with files so many times in one tick, in two stores on one directory, and says what became of it. To be
 * run with few descriptors.
 */
import { readdirSync } from "node:fs";
import { createStore, KvError, type Store } from "@kv/core";
import { files, hybrid } from "@kv/hybrid";
import { sqlite } from "@kv/sqlite";

const [directory = "", many = "", durability = "fast"] = process.argv.slice(2);
const MANY = Number(many);
const all = Array.from({ length: MANY }, (_, i) => i);
const open = (): Store =>
  createStore(
    hybrid({
      index: sqlite({ path: `${directory}/index.db` }),
      directory: `${directory}/files`,
      inlineBelow: 0,
      durability: durability === "full" ? "full" : "fast",
    }),
    { timeout: "60s", sweepInterval: null },
  );
const stores = [open(), open()] as const;
const [store, second] = stores;
const value = (i: number) => ({ i, text: `${i} `.repeat(300) });
const isRight = (i: number, found: unknown): boolean => JSON.stringify(found) === JSON.stringify(value(i));
async function said(name: string, work: () => Promise<readonly boolean[]>): Promise<void> {
  try {
    const right = await work();
    console.log(`${name}: ${right.filter(Boolean).length} right`);
  } catch (error) {
    console.log(`${name}: ${KvError.is(error) ? `${error.code} ${error.message}` : error}`);
  }
}

/** Two pieces, with the others in between. */
async function* slowly(i: number): AsyncGenerator<string> {
  const text = JSON.stringify(value(i));
  // More than is written at once, so that each file is used several times.
  yield " ".repeat(300_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  yield text;
}

async function textOf(source: Store, key: string, between?: () => Promise<unknown>): Promise<unknown> {
  const found = await files(source).getStream(key);
  await between?.();
  const chunks: Uint8Array[] = [];
  for await (const chunk of found?.stream ?? []) chunks.push(chunk as Uint8Array);
  return JSON.parse(Buffer.concat(chunks).toString());
}

await said("set", async () => {
  await Promise.all(all.map((i) => stores[i % 2]?.set(`k${i}`, value(i))));
  return all.map(() => true);
});
await said("set in namespaces", async () => {
  await Promise.all(all.map((i) => store.namespace(`n${i}`).set("k", value(i))));
  return all.map(() => true);
});
await said("get", () => Promise.all(all.map(async (i) => isRight(i, await stores[i % 2]?.get(`k${i}`)))));
await said("getMany", async () =>
  (await second.getMany(all.map((i) => `k${i}`))).map((found, i) => isRight(i, found)),
);
await said("scan", async () =>
  (await store.range("k")).map(([key, found]) => isRight(Number(key.slice(1)), found)),
);
await said("getStream", async () => {
  // All are begun before one is read, and meanwhile all of them are replaced and collected.
  const begun = Promise.withResolvers<void>();
  let left = MANY;
  const between = async (): Promise<void> => {
    left--;
    if (left === 0) {
      await second.deleteMany(all.map((i) => `k${i}`));
      await files(second).collect({ grace: 0 });
      begun.resolve();
    }
    await begun.promise;
  };
  return Promise.all(all.map(async (i) => isRight(i, await textOf(store, `k${i}`, between))));
});
await said("setStream", async () => {
  await Promise.all(all.map((i) => files(stores[i % 2] as Store).setStream(`s${i}`, slowly(i))));
  return Promise.all(all.map(async (i) => isRight(i, await textOf(store, `s${i}`))));
});
await said("verify and collect", async () => {
  const reports = await Promise.all(stores.map((each) => files(each).verify()));
  await Promise.all(stores.map((each) => files(each).collect()));
  return reports.map(({ problems, entries }) => problems.length === 0 && entries === 2 * MANY);
});
for (const each of stores) await each.close();
console.log(
  `left: ${readdirSync(`${directory}/files/.kv/tmp`).length} ${readdirSync(`${directory}/files/.kv/pins`).length}`,
);
