import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { needsRedisServer } from "../../services/redis/redis-binary.ts";
import { FAULTS } from "./faults.ts";
import { TIMEOUT_MS } from "./place.ts";
import { type Trial, tried } from "./trial.ts";

// Here and not in a test: it may take an installation.
const missing = await needsRedisServer();

/** For a machine that is busy. */
const GRACE_MS = 3_000;

// All at once, each with a server of its own: most of the time they wait.
const trials = new Map<string, Promise<Trial>>();
if (missing === undefined) {
  for (const fault of FAULTS) {
    const trial = tried(fault);
    trial.catch(() => undefined);
    trials.set(fault.name, trial);
  }
}

describe("what a caller sees of a fault", () => {
  beforeEach((context) => context.skip(missing !== undefined, missing?.reason));

  for (const fault of FAULTS) {
    test(fault.name, async () => {
      const trial = await trials.get(fault.name);
      if (trial === undefined) throw new Error("it was not tried");
      expect(trial.wrong, "wrong answers").toEqual([]);
      expect(trial.missed, "changes that the watcher knows nothing of").toEqual([]);
      if (fault.resync) expect(trial.watched).toContain("resync");
      for (const read of trial.reads) expect(fault.reads).toContain(read);
      for (const write of trial.writes) expect(fault.writes).toContain(write);
      expect(trial.slowest).toBeLessThan(TIMEOUT_MS + GRACE_MS);
      // An error of unknown outcome must say so in its message.
      if (trial.writes.has("unknown KV_UNAVAILABLE"))
        expect(trial.messages.filter((message) => /unknown|password/.test(message))).not.toEqual([]);
    }, 60_000);
  }

  afterAll(async () => {
    if (missing === undefined) console.log(`Faults, and what a caller saw:\n${await table()}`);
  });
});

async function table(): Promise<string> {
  const rows = [["fault", "reads saw", "writes saw", "the watcher saw", "afterwards"]];
  for (const [name, trial] of trials) {
    const settled = await trial.catch((error: unknown) => String(error));
    rows.push(typeof settled === "string" ? [name, settled] : [name, ...cellsOf(settled)]);
  }
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows
    .map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")}`.trimEnd())
    .join("\n");
}

function cellsOf({ reads, writes, watched, slowest, usable, watching }: Trial): string[] {
  const told = watched.filter((word) => !word.startsWith("set after"));
  return [
    [...reads].join(", "),
    `${[...writes].join(", ")} (${Math.round(slowest)} ms at most)`,
    told.length === 0 ? "nothing, and missed nothing" : told.join(", "),
    `usable in ${Math.round(usable)} ms, watching in ${Math.round(watching)} ms`,
  ];
}
