import { symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createStore } from "@kv/core";
import { expect, test } from "vitest";
import { leveldb } from "../../src/index.ts";
import { scratchPath } from "../scratch.ts";
import { Opener } from "./opener.ts";
import type { Answer } from "./opener-process.ts";

const ROUNDS = process.env["KV_TEST_FULL"] === "1" ? 50 : 3;
/** Milliseconds for which the holder writes after the last attempt, at most. */
const LIFE_MS = 20;

test("two openers of one database, by link, refused opener, copy and deleted LOCK, with kills: no acknowledged write is lost", async () => {
  const path = await scratchPath();
  const link = `${path}-link`;
  symlinkSync(path, link);
  const other = await Opener.start();
  const acknowledged: string[] = [];
  const tally = { refused: 0, letIn: 0 };
  /** An opener that is let in is one too many, and what it wrote counts. */
  function judge({ code, message }: Answer, key: string): void {
    if (code === "KV_UNAVAILABLE" && message?.includes("is held by") === true) tally.refused++;
    else {
      tally.letIn++;
      if (code === undefined) acknowledged.push(key);
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    const holder = await Opener.start();
    expect(await holder.ask("open", path, `open ${round}`), "the next opener after a kill").toEqual({});
    await holder.ask("burst", path, `burst ${round}`);
    const ways: readonly (() => Promise<unknown>)[] = [
      async () => judge(await other.ask("try", link, `link ${round}`), `link ${round}`),
      async () => judge(await holder.ask("try", link, `again ${round}`), `again ${round}`),
      () => holder.ask("copy", path),
      async () => round % 3 === 2 && unlinkSync(join(path, "LOCK")),
    ];
    for (const [way, attempt] of ways.entries()) {
      await attempt();
      const key = `after ${round} ${way}`;
      judge(await other.ask("try", path, key), key);
    }
    await sleep(Math.random() * LIFE_MS);
    await holder.kill();
    acknowledged.push(`open ${round}`, ...holder.acknowledged);
    const key = `next ${round}`;
    expect(await other.ask("try", link, key), "the next opener after a kill").toEqual({});
    acknowledged.push(key);
  }
  const store = createStore(leveldb({ path }));
  const found = await store.getMany(acknowledged);
  await store.close();
  const lost = acknowledged.filter((_, i) => found[i] === undefined);
  console.log(
    `two openers: ${ROUNDS} kills, ${tally.refused} openers refused, ${tally.letIn} let in, ${acknowledged.length} acknowledged writes, ${lost.length} lost`,
  );
  expect(tally.letIn).toBe(0);
  expect(lost).toEqual([]);
}, 600_000);
