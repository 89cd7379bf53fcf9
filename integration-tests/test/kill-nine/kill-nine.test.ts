import { createStore } from "@kv/core";
import { describe, expect, it } from "vitest";
import { PERSISTENT, persistentAdapter } from "../../workers/faults/persistent-adapter.ts";
import { scratchDirectory, startChild } from "../processes/child.ts";
import { CrashJournal } from "./crash-journal.ts";
import { kills } from "./kills.ts";

/** For each adapter and durability. */
const ROUNDS = kills(8);
/** Milliseconds from a life's first commit to its end, at most. One life in four ends as long after it began to open. */
const LIFE_MS = 25;
const HOUR = 3_600_000;

// Two at a time, as long as that is what the machine has cores for.
describe.concurrent("kill -9 in the middle of writes loses nothing acknowledged and halves no commit", () => {
  for (const name of PERSISTENT) {
    for (const durability of ["fast", "full"] as const) {
      it(`${name} ${durability}`, async ({ onTestFinished }) => {
        const directory = scratchDirectory(onTestFinished);
        const journal = new CrashJournal();
        const since = performance.now();
        for (let round = 0; round < ROUNDS; round++) {
          const writer = startChild("faults/burst", name, directory, durability, String(journal.burst + 1));
          const sign = round % 4 === 3 ? "begin " : "m ";
          await writer.line((line) => line.startsWith(sign));
          await new Promise((resolve) => setTimeout(resolve, Math.random() * LIFE_MS));
          writer.process.kill("SIGKILL");
          expect((await writer.ended).signal, "how the writer ended").toBe("SIGKILL");
          journal.add(writer.lines());
          await using store = createStore(await persistentAdapter(name, directory, { durability }));
          await journal.verify(store);
        }
        await expectSwept(name, directory);
        const each = Math.round((performance.now() - since) / ROUNDS);
        console.log(
          `${name} ${durability}: ${ROUNDS} kills, ${journal.acknowledged} acknowledged writes, 0 lost, 0 half commits (${each} ms a round)`,
        );
      }, 600_000);
    }
  }
});

/** No entry with a deadline has slipped through what finds the expired ones: two hours on all of them are reclaimed. */
async function expectSwept(name: string, directory: string): Promise<void> {
  const open = async (ahead: number) =>
    createStore(await persistentAdapter(name, directory, { clock: () => Date.now() + ahead }), {
      sweepInterval: null,
    });
  {
    await using later = await open(2 * HOUR);
    await later.sweep();
  }
  // By the clock of long ago nothing has expired, so whatever was left would be seen.
  await using before = await open(-2 * HOUR);
  expect((await before.stats()).expiring, "entries with a deadline that the sweep missed").toBe(0);
}
