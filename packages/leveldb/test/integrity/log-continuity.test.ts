import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStore } from "@kv/core";
import { expect, test } from "vitest";
import { leveldb } from "../../src/index.ts";
import { strangeLogs } from "../../src/integrity/log-continuity.ts";
import { logRecords } from "../../src/integrity/log-records.ts";
import { Opener } from "../holding/opener.ts";
import { scratchPath } from "../scratch.ts";

const ROUNDS = process.env["KV_TEST_FULL"] === "1" ? 5 : 1;
const logsAt = (path: string) => readdirSync(path).filter((name) => name.endsWith(".log"));

test("what a store leaves behind has no gap, killed or closed, whatever became of the last log's end", async () => {
  const path = await scratchPath();
  for (let round = 0; round < ROUNDS; round++) {
    const store = createStore(leveldb({ path, writeBufferSize: 2 ** 16 }));
    for (let i = 0; i < 60; i++) {
      // Records of one fragment, of several, and ones that leave no room for a header at the end of a block.
      await store.set(`k${i % 7}`, "x".repeat((i * 7919) % 70_000));
      if (i % 10 === 0) expect(strangeLogs(path)).toEqual([]);
    }
    await store.close();
    expect(strangeLogs(path)).toEqual([]);
    const opener = await Opener.start();
    await opener.ask("open", path, "other");
    for (let i = 0; i < 20; i++) await opener.ask("write", path, `k${i}`);
    await opener.kill();
    const [log = ""] = logsAt(path).slice(-1);
    const content = readFileSync(join(path, log));
    for (let length = content.length; length > 0; length -= Math.max(13, content.length >> 5)) {
      writeFileSync(join(path, log), content.subarray(0, length));
      expect(strangeLogs(path)).toEqual([]);
    }
    writeFileSync(join(path, log), content);
  }
});

test("a log that is missing is a gap, and one that lost its end explains it", async () => {
  const path = await scratchPath();
  const store = createStore(leveldb({ path }));
  await store.setMany([
    ["a", 1],
    ["b", 2],
  ]);
  await store.set("c", 3);
  await store.close();
  const [log = ""] = logsAt(path);
  const content = readFileSync(join(path, log));
  const { records, isWhole } = logRecords(content);
  expect([records.length, isWhole]).toEqual([2, true]);
  // The last write alone, in a log of its own: what was before it is missing.
  const rest = content.subarray(content.length - 7 - (records[1]?.length ?? 0));
  writeFileSync(join(path, "000900.log"), rest);
  expect(strangeLogs(path)).toEqual([]);
  writeFileSync(join(path, log), "");
  expect(strangeLogs(path)).toEqual(["000900.log"]);
  writeFileSync(join(path, log), content.subarray(0, 20));
  expect(strangeLogs(path)).toEqual([]);
  rmSync(join(path, log));
  expect(strangeLogs(path)).toEqual(["000900.log"]);
});
