// `pnpm bench`: measures the groups one after the other, prints their tables, and writes the results.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { runChild } from "./children/child-program.ts";
import { parseCommandLine, usage } from "./command-line.ts";
import { type Group, groupOf, groups } from "./groups.ts";
import type { Order } from "./measuring/measure-group.ts";
import { installPeers } from "./peers.ts";
import { chart } from "./report/chart.ts";
import { leftOutText, report, summary } from "./report/report.ts";
import type { GroupResult } from "./report/result.ts";
import type { NoBackend } from "./servers/backend.ts";

const measureGroup = new URL("./measuring/measure-group.js", import.meta.url);
const commandLine = understood();
if (commandLine === "help") console.log(usage);
else await run(commandLine);

function understood(): ReturnType<typeof parseCommandLine> {
  try {
    return parseCommandLine(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(2);
  }
}

async function run({
  groups: names,
  only,
  quick,
  merge,
}: Exclude<typeof commandLine, "help">): Promise<void> {
  const complete = only.length === 0 && !quick;
  // A quick or partial run does not replace complete results.
  const results = new URL(complete ? "../results/" : "../.cache/results/", import.meta.url);
  mkdirSync(results, { recursive: true });
  const peersMissing = installPeers();
  if (peersMissing !== undefined)
    console.error(`The peers could not be installed: ${peersMissing}. Going on without them.`);
  const leftOut = new Map<string, string>();
  for (const name of names) {
    const [group, order]: [Group, Order] = [groupOf(name), { group: name, only, quick, peersMissing }];
    const result = await runChild<GroupResult | NoBackend>(measureGroup, [JSON.stringify(order)]);
    if ("leftOut" in result) {
      leftOut.set(name, result.leftOut);
      console.log(`\n${group.title}\n\n${leftOutText(group, result.leftOut)}`);
      continue;
    }
    writeFileSync(new URL(`${name}.json`, results), `${JSON.stringify(result, undefined, 1)}\n`);
    console.log(summary(group, result));
  }
  const parts = groups.flatMap((group): [Group, GroupResult][] => {
    const file = new URL(`${group.name}.json`, results);
    const isNew = names.includes(group.name) && !leftOut.has(group.name);
    const counts = complete || merge || isNew;
    return counts && existsSync(file) ? [[group, JSON.parse(readFileSync(file, "utf8"))]] : [];
  });
  // An older result of a group that is left out this time stays, with its date.
  const absent = groups.flatMap((group): [Group, string][] => {
    const reason = parts.some(([known]) => known === group) ? undefined : leftOut.get(group.name);
    return reason === undefined ? [] : [[group, reason]];
  });
  writeFileSync(new URL("README.md", results), report(parts, absent));
  const panels = parts.map(([{ title, baseline }, result]) => ({ result, title, baseline: baseline.name }));
  writeFileSync(new URL("bench.svg", results), chart(panels));
  console.log(`\nWritten: ${complete ? "packages/bench/results" : "packages/bench/.cache/results"}`);
}
