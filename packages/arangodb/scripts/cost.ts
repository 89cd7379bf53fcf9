// Measures what operations cost: requests, bytes, and this process's processor time, compared with arangojs alone on plain
// documents. The emulator is a separate process and is not counted; it is not ArangoDB, so server times are not measured.

import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { createStore } from "@kv/core";
import { Database } from "arangojs";
import { arangodb, links } from "../src/index.ts";
import { countingClient } from "../test/counting-client.ts";
import { entries, OPERATIONS, VALUE } from "../test/operations.ts";

const main = fileURLToPath(new URL("../node_modules/@kv/arangodb-emulator/src/main.ts", import.meta.url));

const port = await freePort();
const child = spawn(process.execPath, [main, "--port", String(port)], { stdio: "ignore" });
try {
  const url = `http://127.0.0.1:${port}`;
  await answering(url, child);
  await traffic(url);
  await processorTime(url);
} finally {
  child.kill();
}

async function traffic(url: string): Promise<void> {
  const counting = countingClient(url);
  await using store = createStore(arangodb({ client: counting.client }), { sweepInterval: null });
  const linked = links(store);
  await store.setMany([...entries(1000), ["n", 0]]);
  await linked.link("k000", "to", "k001");
  console.log("| operation | requests | bytes sent | bytes received |\n|---|--:|--:|--:|");
  for (const { name, run } of OPERATIONS) {
    const { requests, sent, received } = await counting.during(() => run(store, linked));
    console.log(`| ${name} | ${requests} | ${sent} | ${received} |`);
  }
}

async function processorTime(url: string): Promise<void> {
  const database = new Database({ url, poolSize: 16 });
  const bare = await database.createCollection("bare");
  await using store = createStore(arangodb({ client: database, collection: "measured" }), {
    sweepInterval: null,
  });
  const keys = Array.from({ length: 64 }, (_, i) => `k${i}`);
  const documents = keys.map((key) => ({ _key: key, value: VALUE }));
  await store.setMany(keys.map((key) => [key, VALUE]));
  await bare.saveAll(documents, { overwriteMode: "replace" });
  const rows: readonly (readonly [string, number, () => Promise<unknown>, () => Promise<unknown>])[] = [
    ["get", 1, () => store.get("k1"), () => bare.document("k1")],
    [
      "set",
      1,
      () => store.set("k1", VALUE),
      () => bare.save({ _key: "k1", value: VALUE }, { overwriteMode: "replace" }),
    ],
    [
      "64 gets in a tick",
      64,
      () => Promise.all(keys.map((key) => store.get(key))),
      () => bare.documents(keys),
    ],
    [
      "64 sets in a tick",
      64,
      () => Promise.all(keys.map((key) => store.set(key, VALUE))),
      () => bare.saveAll(documents, { overwriteMode: "replace" }),
    ],
  ];
  console.log(
    "\n| processor time of the client | @kv/arangodb, µs each | arangojs, µs each |\n|---|--:|--:|",
  );
  for (const [name, count, ours, theirs] of rows) {
    // In turns, so that neither gets the warmer process.
    const times: [number[], number[]] = [[], []];
    for (let round = 0; round < 6; round++) {
      for (const [i, run] of [ours, theirs].entries()) times[i]?.push(await perOperation(run, count));
    }
    const [mine, bareTime] = times.map((each) => Math.round(Math.min(...each)));
    console.log(`| ${name} | ${mine} | ${bareTime} |`);
  }
}

/** Microseconds of processor time. */
async function perOperation(run: () => Promise<unknown>, count: number): Promise<number> {
  const rounds = count === 1 ? 400 : 40;
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i++) await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (rounds * count);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function answering(url: string, process: ChildProcess): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(`${url}/_api/version`).catch(() => undefined);
    if (answer?.ok) return;
    if (process.exitCode !== null || attempt > 200) throw new Error("the emulator did not start");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
