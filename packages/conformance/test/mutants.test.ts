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

/** A mutant may make a case wait for what never comes, and all of them wait side by side. */
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

// Properties are tried with the same values every time: a mutant is caught, or it is not.
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

/** What catches a mutant says nothing if it catches the healthy, too. A case that the healthy one is not asked is skipped. */
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
        // One that only trips over itself proves nothing.
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
