import type { Parameters } from "fast-check";

/** The factor for the runs of every property: KV_TEST_THOROUGHNESS (0.1 or more), else 3 with KV_TEST_FULL=1, else 1. */
export const THOROUGHNESS: number = thoroughness(process.env);

function thoroughness(env: NodeJS.ProcessEnv): number {
  const given = Number(env["KV_TEST_THOROUGHNESS"] || Number.NaN);
  if (given >= 0.1) return given;
  return env["KV_TEST_FULL"] === "1" ? 3 : 1;
}

/** The largest number of runs of a property, and the seed in KV_TEST_SEED, if given. */
export function runs<T>(moderately: number): Parameters<T> {
  const seed = process.env["KV_TEST_SEED"];
  // The error of a failed property names the seed and the path to the smallest counterexample.
  return {
    numRuns: Math.ceil(moderately * THOROUGHNESS),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
}

/** Milliseconds after which a property is not tried again, so that a slow backend does not take forever. */
const BUDGET = 4_000 * Math.max(1, THOROUGHNESS);

/**
 * Runs the predicate until the time is up, and skips it afterwards. The library's own limit gives up in the middle of a
 * run, which would then go on over a store that is being closed.
 */
export function inTime<T>(predicate: (value: T) => Promise<void>): (value: T) => Promise<void> {
  const end = performance.now() + BUDGET;
  return async (value) => {
    if (performance.now() < end) await predicate(value);
  };
}
