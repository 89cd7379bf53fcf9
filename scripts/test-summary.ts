/** What a test run came to, as the reporter hands it over and `npm test` prints it. */
export interface TestSummary {
  passed: number;
  failed: string[];
  skipped: { name: string; reason: string | undefined }[];
}

/**
 * The closing lines of `npm test`: what was skipped and why, what failed, and the counts, last.
 * With a filter, tests that it left out are counted but not named.
 */
export function formatSummary({ passed, failed, skipped }: TestSummary, filtered = false): string {
  const lines: string[] = [];
  const unselected = filtered ? skipped.filter(({ reason }) => reason === undefined) : [];
  const named = skipped.filter((test) => !unselected.includes(test));
  if (skipped.length > 0) lines.push("Skipped:");
  for (const { name, reason } of named) lines.push(`  ${name}: ${reason ?? "no reason given"}`);
  if (unselected.length > 0) lines.push(`  ${unselected.length} that the filter left out`);
  if (failed.length > 0) lines.push("Failed:");
  for (const name of failed) lines.push(`  ${name}`);
  lines.push(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return lines.join("\n");
}
