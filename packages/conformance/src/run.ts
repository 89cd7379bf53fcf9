import { plan, strayDeviations } from "./plan.ts";
import type { Harness } from "./suite/harness.ts";
import { judge, type PlannedCase, type RunCaseOptions, type Verdict } from "./suite/run-case.ts";

export interface Result {
  readonly fullTitle: string;
  readonly verdict: Verdict;
}

export interface Report {
  readonly results: readonly Result[];
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface RunOptions extends RunCaseOptions {
  /** Called with the result of every case as it ends. */
  readonly onResult?: (result: Result) => void;
}

/** Runs the whole suite without a test runner. */
export async function runConformance(harness: Harness, options: RunOptions = {}): Promise<Report> {
  const planned = plan(harness);
  const results: Result[] = [];
  function add(result: Result): void {
    results.push(result);
    options.onResult?.(result);
  }
  for (const fullTitle of strayDeviations(harness, planned)) {
    add({
      fullTitle,
      verdict: {
        status: "failed",
        error: new Error("the deviation names no case; remove it, or correct its title"),
      },
    });
  }
  for (const one of planned) add(await resultOf(harness, one, options));
  const count = (status: Verdict["status"]): number =>
    results.filter(({ verdict }) => verdict.status === status).length;
  return { results, passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

async function resultOf(harness: Harness, planned: PlannedCase, options: RunOptions): Promise<Result> {
  return { fullTitle: planned.fullTitle, verdict: await judge(harness, planned, options) };
}

export { CHAPTERS } from "./chapters/index.ts";
export { plan } from "./plan.ts";
export type { Abilities } from "./suite/abilities.ts";
export type { Case, Chapter } from "./suite/chapter.ts";
export type { Context, Opened } from "./suite/context.ts";
export type { Harness, Setup, Through } from "./suite/harness.ts";
export { judge, type PlannedCase, type RunCaseOptions, runCase, type Verdict } from "./suite/run-case.ts";
export type { Time } from "./suite/time.ts";
export { type Variant, VIEWS, type Views } from "./suite/views.ts";
