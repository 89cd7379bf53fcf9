/** The result of a test run, as the reporter writes it and `npm test` prints it. */
export interface TestSummary {
  passed: number;
  failed: string[];
  skipped: { name: string; reason: string | undefined }[];
}

/**
 * The closing lines of `npm test`: skipped tests with their reasons, failed tests, and last the counts.
 * Tests that a filter left out are counted but not named.
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
 * One case runs on many stores, and on each in several ways. Skips of one case for the same reason are counted in one
 * line below it. A name is `project › store › chapter › case`, a store `memory through a scope`.
 */
function grouped(skipped: TestSummary["skipped"]): string[][] {
  const groups = new Map<string, Skip[]>();
  for (const { name, reason = "no reason given" } of skipped) {
    const [project, store, ...rest] = name.split(" › ");
    const suite = rest.length > 0 ? store : undefined;
    const title = suite === undefined ? name : `${rest.join(" › ")}`;
    const skip: Skip = {
      name,
      title: `${title}: ${reason}`,
      reason,
      store: suite?.split(" through ")[0] ?? String(project),
    };
    groups.set(skip.title, [...(groups.get(skip.title) ?? []), skip]);
  }
  return [...groups.values()].map((group) => {
    const [first] = group;
    if (first === undefined) return [];
    if (group.length === 1) return [`  ${first.name}: ${first.reason}`];
    const counts = new Map<string, number>();
    for (const { store } of group) counts.set(store, (counts.get(store) ?? 0) + 1);
    const stores = [...counts].map(([store, count]) => (count === 1 ? store : `${store} × ${count}`));
    return [`  ${first.title}`, `    in ${group.length}: ${stores.join(", ")}`];
  });
}

interface Skip {
  readonly name: string;
  readonly title: string;
  readonly reason: string;
  readonly store: string;
}
