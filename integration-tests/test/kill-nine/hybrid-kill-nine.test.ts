import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createStore } from "@kv/core";
import { files } from "@kv/hybrid";
import { describe, expect, it } from "vitest";
import { persistentAdapter } from "../../workers/faults/persistent-adapter.ts";
import { scratchDirectory, startChild } from "../processes/child.ts";
import { CrashJournal } from "./crash-journal.ts";
import { kills } from "./kills.ts";

/** For each layout and durability. */
const ROUNDS = kills(5);
/** Milliseconds from a life's first write to its end, at most. */
const LIFE_MS = 40;

describe.concurrent("kill -9 of a hybrid store loses nothing acknowledged, and leaves no entry without its file", () => {
  for (const [name, durability] of [
    ["hybrid", "fast"],
    ["hybrid readable", "full"],
  ] as const) {
    it(`${name} ${durability}`, async ({ onTestFinished }) => {
      const directory = scratchDirectory(onTestFinished);
      const journal = new CrashJournal();
      let left = 0;
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
        const { problems, unreferenced } = await files(store).verify();
        expect(problems, "entries without their files").toEqual([]);
        left = Math.max(left, unreferenced.files);
        if (round % 3 === 2) await files(store).collect({ grace: 0 });
      }
      await using store = createStore(await persistentAdapter(name, directory));
      await files(store).collect({ grace: 0 });
      const { entries, problems, unreferenced } = await files(store).verify();
      expect({ problems, unreferenced }).toEqual({ problems: [], unreferenced: { files: 0, bytes: 0 } });
      expect(entries).toBeGreaterThan(0);
      await store.close();
      // Nor is anything left of writes, pins and quarantine.
      for (const folder of ["tmp", "pins", "trash"])
        expect(readdirSync(join(directory, "files/.kv", folder)), folder).toEqual([]);
      console.log(
        `${name} ${durability}: ${ROUNDS} kills, ${journal.acknowledged} acknowledged writes, 0 lost, 0 unreadable; ` +
          `at most ${left} files that no entry named, 0 after collecting`,
      );
    }, 1_800_000);
  }
});
