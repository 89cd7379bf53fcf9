import type { Parameters } from "fast-check";

/** How many times as often every property is tried: what KV_TEST_THOROUGHNESS says (0.1 or more), else 3 with KV_TEST_FULL=1. */
export const THOROUGHNESS: number = thoroughness(process.env);

function thoroughness(env: NodeJS.ProcessEnv): number {
  const given = Number(env["KV_TEST_THOROUGHNESS"] || Number.NaN);
  if (given >= 0.1) return given;
  return env["KV_TEST_FULL"] === "1" ? 3 : 1;
}

/** How often a property is tried at most, and with the seed of KV_TEST_SEED where that is given. */
export function runs<T>(moderately: number): Parameters<T> {
  const seed = process.env["KV_TEST_SEED"];
  // The error of a failed property names the seed and the path to the smallest counterexample.
  return {
    numRuns: Math.ceil(moderately * THOROUGHNESS),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
}

/** Milliseconds after which a property has been tried often enough, however slow the backend is. */
const BUDGET = 4_000 * Math.max(1, THOROUGHNESS);

/**
 * The predicate as long as there is time for it. The library's own limit gives up in the middle of a run, which would go
 * on over a store that is being closed.
 */
export function inTime<T>(predicate: (value: T) => Promise<void>): (value: T) => Promise<void> {
  const end = performance.now() + BUDGET;
  return async (value) => {
    if (performance.now() < end) await predicate(value);
  };
}
