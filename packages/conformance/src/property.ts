import type { Parameters } from "fast-check";

/** KV_TEST_FULL=1: every property is tried so much more often. */
export const THOROUGHNESS: number = process.env["KV_TEST_FULL"] === "1" ? 20 : 1;

/** How often a property is tried, and with the seed of KV_TEST_SEED where that is given. */
export function runs<T>(moderately: number): Parameters<T> {
  const seed = process.env["KV_TEST_SEED"];
  // The error of a failed property names the seed and the path to the smallest counterexample.
  return { numRuns: moderately * THOROUGHNESS, ...(seed === undefined ? {} : { seed: Number(seed) }) };
}
