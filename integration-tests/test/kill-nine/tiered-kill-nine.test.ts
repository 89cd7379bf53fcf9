import { createStore, type Store } from "@kv/core";
import { memory } from "@kv/memory";
import { tiered } from "@kv/tiered";
import { expect, it } from "vitest";
import { persistentAdapter } from "../../workers/faults/persistent-adapter.ts";
import { scratchDirectory, startChild } from "../processes/child.ts";
import { CrashJournal } from "./crash-journal.ts";
import { kills } from "./kills.ts";

const ROUNDS = kills(4);
/** Milliseconds from a life's first commit to its end, at most. One life in four ends as long after it began to open. */
const LIFE_MS = 60;

it("kill -9 of a process that writes behind a LevelDB near tier loses nothing acknowledged and halves no commit", async ({
  onTestFinished,
}) => {
  const directory = scratchDirectory(onTestFinished);
  const journal = new CrashJournal();
  let waiting = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const writer = startChild("faults/burst", "tiered", directory, "fast", String(journal.burst + 1));
    const sign = round % 4 === 3 ? "begin " : "m ";
    await writer.line((line) => line.startsWith(sign));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * LIFE_MS));
    writer.process.kill("SIGKILL");
    expect((await writer.ended).signal, "how the writer ended").toBe("SIGKILL");
    journal.add(writer.lines());
    waiting += await left(directory);
    // Through both tiers, while what was left is being flushed; and then the far tier alone, which has everything.
    const before = await (async () => {
      await using store = createStore(await persistentAdapter("tiered", directory));
      await journal.verify(store);
      return await everything(store);
    })();
    expect(await left(directory), "changes that the far tier does not have").toBe(0);
    const far = await persistentAdapter("sqlite", directory);
    await using alone = createStore(tiered({ near: memory(), far, write: "behind" }));
    expect(await everything(alone), "the far tier without the near one").toEqual(before);
  }
  expect(
    waiting,
    "changes that were acknowledged and only in the near tier when a life ended",
  ).toBeGreaterThan(0);
  console.log(
    `tiered behind leveldb/sqlite: ${ROUNDS} kills, ${journal.acknowledged} acknowledged writes, ${waiting} changes found in the journal, 0 lost, 0 half commits`,
  );
}, 1_800_000);

/** Every entry with all its metadata; one that cannot be read fails. The short-lived ones come and go. */
async function everything(store: Store): Promise<unknown[]> {
  const entries: unknown[] = [];
  for await (const entry of store.entries({ onCorrupt: "throw" })) {
    if (!entry.key.startsWith("brief")) entries.push(entry);
  }
  return entries;
}

/** How many changes the near tier's journal holds. */
async function left(directory: string): Promise<number> {
  await using near = createStore(await persistentAdapter("leveldb", directory));
  return await near.namespace("@kv/tiered", "journal").count({ lt: "a" });
}
