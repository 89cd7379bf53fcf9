import type { Parameters } from "fast-check";

/** How often a property is tried: moderately by default, thoroughly under KV_TEST_FULL=1, as from KV_TEST_SEED where given. */
export function runs<T>(moderately: number): Parameters<T> {
  const seed = process.env["KV_TEST_SEED"];
  return {
    numRuns: process.env["KV_TEST_FULL"] === "1" ? moderately * 20 : moderately,
    // The error of a failed property names the seed and the path to the smallest counterexample.
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
}
