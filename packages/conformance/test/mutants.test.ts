import assert from "node:assert/strict";
import { afterAll, describe, test } from "vitest";
import { plan } from "../src/plan.ts";
import { NASTY_KEYS } from "../src/samples/nasty-keys.ts";
import { type PlannedCase, runCase, type Verdict } from "../src/suite/run-case.ts";
import { concurrentMutants } from "./mutants/concurrent.ts";
import { frontMutants } from "./mutants/fronts.ts";
import { broken, harnessOf, type Mutant } from "./mutants/mutant.ts";
import { processMutants } from "./mutants/processes.ts";
import { rangedMutants } from "./mutants/ranged.ts";
import { storedMutants } from "./mutants/stored.ts";
import { timedMutants } from "./mutants/timed.ts";
import { valueMutants } from "./mutants/values.ts";
import { viewMutants } from "./mutants/views.ts";

/** Milliseconds: a mutant may make a case wait in vain, and all of them wait concurrently. */
const PATIENCE = 6000;

const GROUPS: Readonly<Record<string, readonly Mutant[]>> = {
  "backends, entries": storedMutants,
  "backends, time": timedMutants,
  "backends, ranges and namespaces": rangedMutants,
  "backends, several writers and watchers": concurrentMutants,
  "backends, data that outlive them": processMutants,
  "fronts, reading and writing": frontMutants,
  "fronts, values": valueMutants,
  "fronts, views": viewMutants,
};

// A fixed seed, so that a mutant is caught in every run or in none.
process.env["KV_TEST_SEED"] ??= "20261120";

const planned = plan(harnessOf({}));
const healthy = new Map<string, Verdict>();
const rows: string[] = [];

function caseOf({ caughtBy }: Mutant): PlannedCase {
  const found = planned.find(
    ({ variant, chapter, case: { title } }) =>
      variant.title === "" && `${chapter.title} › ${title}` === caughtBy,
  );
  assert.ok(found !== undefined, `no case has the title ${caughtBy}`);
  return found;
}

/** A case that fails on the healthy adapter, too, proves nothing about a mutant. One that is skipped there is accepted. */
async function assertHealthy({ caughtBy }: Mutant, catching: PlannedCase): Promise<void> {
  const verdict = healthy.get(caughtBy) ?? (await runCase(harnessOf({}), catching, { timeout: PATIENCE }));
  healthy.set(caughtBy, verdict);
  if (verdict.status === "failed") throw verdict.error;
}

for (const [group, mutants] of Object.entries(GROUPS)) {
  describe.concurrent(group, () => {
    for (const mutant of mutants) {
      test(`${mutant.title} → ${mutant.caughtBy}`, { timeout: 3 * PATIENCE }, async () => {
        const { front } = mutant;
        const catching = caseOf(mutant);
        await assertHealthy(mutant, catching);
        const verdict = await runCase(harnessOf(mutant), catching, {
          timeout: PATIENCE,
          ...(front === undefined ? {} : { wrapStore: (store) => broken(store, front) }),
        });
        assert.ok(verdict.status === "failed", "the mutant got away");
        // A mutant that fails only by its own error proves nothing.
        assert.ok(!(verdict.error instanceof TypeError), String(verdict.error));
        rows.push(`| ${mutant.title} | ${mutant.caughtBy} |`);
      });
    }
  });
}

test("every case and every mutant has a title of its own", () => {
  const mutants = Object.values(GROUPS).flat();
  assert.equal(new Set(planned.map(({ fullTitle }) => fullTitle)).size, planned.length);
  assert.ok(mutants.length >= 40);
  assert.equal(new Set(NASTY_KEYS).size, NASTY_KEYS.length);
});

afterAll(() => {
  console.log(["| mutant | the case that caught it |", "|---|---|", ...rows].join("\n"));
});
