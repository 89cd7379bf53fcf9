// `pnpm bench`: measures the groups one after the other, prints their tables, and writes the results.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { chart } from "./chart.ts";
import { runChild } from "./child-program.ts";
import { parseCommandLine, usage } from "./command-line.ts";
import { type Group, groupOf, groups } from "./groups.ts";
import type { Order } from "./measure-group.ts";
import { installPeers } from "./peers.ts";
import { report, summary } from "./report.ts";
import type { GroupResult } from "./result.ts";

const measureGroup = new URL("./measure-group.js", import.meta.url);
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

async function run({ groups: names, only, quick }: Exclude<typeof commandLine, "help">): Promise<void> {
  const complete = only.length === 0 && !quick;
  // What was measured hastily, or in part, does not replace what was not.
  const results = new URL(complete ? "../results/" : "../.cache/results/", import.meta.url);
  mkdirSync(results, { recursive: true });
  const peersMissing = installPeers();
  if (peersMissing !== undefined)
    console.error(`The peers could not be installed: ${peersMissing}. Going on without them.`);
  for (const name of names) {
    const order: Order = { group: name, only, quick, peersMissing };
    const result = await runChild<GroupResult>(measureGroup, [JSON.stringify(order)]);
    writeFileSync(new URL(`${name}.json`, results), `${JSON.stringify(result, undefined, 1)}\n`);
    console.log(summary(groupOf(name), result));
  }
  const parts = groups.flatMap((group): [Group, GroupResult][] => {
    const file = new URL(`${group.name}.json`, results);
    const counts = complete || names.includes(group.name);
    return counts && existsSync(file) ? [[group, JSON.parse(readFileSync(file, "utf8"))]] : [];
  });
  writeFileSync(new URL("README.md", results), report(parts));
  const panels = parts.map(([{ title, baseline }, result]) => ({ result, title, baseline: baseline.name }));
  writeFileSync(new URL("bench.svg", results), chart(panels));
  console.log(`\nWritten: ${complete ? "packages/bench/results" : "packages/bench/.cache/results"}`);
}
