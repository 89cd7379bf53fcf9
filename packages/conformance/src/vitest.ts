import { describe, test } from "vitest";
import { CHAPTERS } from "./chapters/index.ts";
import { plan, strayDeviations, titleOf } from "./plan.ts";
import type { Harness } from "./suite/harness.ts";
import { THOROUGHNESS } from "./suite/property.ts";
import { judge, type PlannedCase } from "./suite/run-case.ts";

/** Each case has its own limit, with a better message; the runner's limit only has to be longer. */
const TIMEOUT = 60_000 * Math.max(1, THOROUGHNESS);

/** Registers the whole suite with vitest. A case that an adapter cannot pass is declared as a deviation. */
export function describeConformance(harness: Harness): void {
  const planned = plan(harness);
  for (const variant of new Set(planned.map((one) => one.variant))) {
    describe(titleOf(harness, variant), () => {
      for (const chapter of CHAPTERS) {
        describe(chapter.title, () => {
          for (const one of planned) {
            if (one.variant === variant && one.chapter === chapter) register(harness, one);
          }
        });
      }
    });
  }
  test(`${harness.name} › every deviation names a case`, () => {
    const stray = strayDeviations(harness, planned);
    if (stray.length > 0) throw new Error(`no case has the title of these deviations: ${stray.join("; ")}`);
  });
}

function register(harness: Harness, planned: PlannedCase): void {
  test(planned.case.title, { timeout: TIMEOUT }, async (context) => {
    const verdict = await judge(harness, planned);
    if (verdict.status === "skipped") context.skip(verdict.reason);
    if (verdict.status === "failed") throw verdict.error;
  });
}
