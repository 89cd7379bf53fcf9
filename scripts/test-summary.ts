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
  for (const group of grouped(named)) lines.push(...group);
  if (unselected.length > 0) lines.push(`  ${unselected.length} that the filter left out`);
  if (failed.length > 0) lines.push("Failed:");
  for (const name of failed) lines.push(`  ${name}`);
  lines.push(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return lines.join("\n");
}

/**
 * One case runs through many stores: where several skip it for one reason, they are named in one line below it. A name
 * is `project › store › chapter › case`.
 */
function grouped(skipped: TestSummary["skipped"]): string[][] {
  const groups = new Map<string, string[]>();
  for (const { name, reason = "no reason given" } of skipped) {
    const [project = "", store, ...rest] = name.split(" › ");
    const shared = rest.length > 0 ? `${rest.join(" › ")}: ${reason}` : `${name}: ${reason}`;
    const stores = groups.get(shared) ?? [];
    stores.push(rest.length > 0 ? `${project} › ${store}` : name);
    groups.set(shared, stores);
  }
  return [...groups].map(([shared, [first = "", ...others]]) => {
    if (others.length === 0)
      return [first.includes(" › ") && !shared.startsWith(first) ? `  ${first} › ${shared}` : `  ${shared}`];
    return [`  ${shared}`, `    in ${others.length + 1}: ${[first, ...others].join(", ")}`];
  });
}
