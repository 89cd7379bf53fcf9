/**
 * How many lives of a process a test ends by kill -9, where a default run has so many: what KV_TEST_KILLS says, else 50
 * with KV_TEST_FULL=1.
 */
export function kills(byDefault: number): number {
  const given = Number(process.env["KV_TEST_KILLS"] || Number.NaN);
  if (given >= 1) return given;
  return process.env["KV_TEST_FULL"] === "1" ? 50 : byDefault;
}
