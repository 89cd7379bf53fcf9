import type { Group } from "../groups.ts";
import type { Figure, GroupResult, Machine } from "./result.ts";
import { cellTable, figureKinds, figureTable } from "./table.ts";
import { baselineTargets, figureTargets } from "./targets.ts";

/** `results/README.md`: everything that was measured, what was not, and how to read the results. */
export function report(
  parts: readonly (readonly [Group, GroupResult])[],
  leftOut: readonly (readonly [Group, string])[],
): string {
  const sections = [
    ...parts.flatMap(([group, result]) => groupSection(group, result)),
    ...leftOut.flatMap(([group, reason]) => [`## ${group.title}`, "", leftOutText(group, reason), ""]),
  ];
  return `${[
    "# Benchmarks",
    "",
    "Written by `pnpm bench`; the rounds behind every number are in the JSON files beside this one.",
    "",
    "![How many times as fast as the baseline, cell by cell](bench.svg)",
    "",
    ...(parts.length > 1 ? [timeLine(parts)] : []),
    "- Rates are a second's, medians of the rounds. Ratios are medians of the ratios round by round: in each round all",
    "  contenders take turns, so that they meet the same machine. The ratios carry over to other machines, the rates do not.",
    "- Values are objects of 104 B as JSON unless a row says 10 KB; objects go in and come out, so bare drivers do JSON too.",
    "  Every write changes the bytes. 10,000 keys in random order (500 of 10 KB); garbage is collected between the rounds.",
    "- `÷ best peer` names the fastest peer of the row. A dash: it has no such operation. †: hands out what it stores instead of",
    "  a copy, so that who changes a value changes the store; the size of a value costs it nothing.",
    "- Event-loop delay: 1 ms resolution, already taken off; of the load that it is worst under.",
    "",
    ...sections,
    "## The targets",
    "",
    ...targetLines(parts),
    "",
  ].join("\n")}`;
}

export function leftOutText({ name }: Group, reason: string): string {
  return `Not measured: the group ${name} was left out: ${reason}.`;
}

function timeLine(parts: readonly (readonly [Group, GroupResult])[]): string {
  const times = parts.map(([{ title }, { date }]) => `${title} ${timeText(date)}`);
  return `- Each group is measured by itself, perhaps in a run of its own: ${times.join(", ")}.`;
}

/** To the minute: two groups of one table may be of different days. */
function timeText(date: string): string {
  return `${date.slice(0, 16).replace("T", " ")} UTC`;
}

/** The tables of a group, for the terminal. */
export function summary(group: Group, result: GroupResult): string {
  const figures = figureTable(result, group.baseline.name);
  return [
    `\n${group.title}\n`,
    cellTable(result, group.baseline.name),
    ...(figures === "" ? [] : ["", figures]),
    ...missing(result),
  ].join("\n");
}

function groupSection(group: Group, result: GroupResult): string[] {
  const figures = figureTable(result, group.baseline.name);
  return [
    `## ${group.title}`,
    "",
    `${timeText(result.date)}, ${machineText(result.machine)}. ${group.terms}`,
    "",
    cellTable(result, group.baseline.name),
    "",
    ...(figures === "" ? [] : [figures, ""]),
    ...result.figures.flatMap(partsOf),
    ...missing(result),
    ...result.contenders.map(({ name, versions }) => {
      const note = group.contenders.find((contender) => contender.name === name)?.note;
      const packages = Object.entries(versions).map(([id, version]) => `${id} ${version}`);
      return `- **${name}**${[packages.join(", "), note]
        .filter(Boolean)
        .map((text) => `: ${text}`)
        .join("")}`;
    }),
    "",
  ];
}

function partsOf({ name, parts = [] }: Figure): string[] {
  if (parts.length === 0) return [];
  const list = parts.map(({ title, value, max }) => `${title} ${value} (at most ${max})`);
  return [`${figureKinds[name].title}, in ${figureKinds[name].unit}: ${list.join("; ")}.`, ""];
}

function missing({ contenders, cells }: GroupResult): string[] {
  const absent = contenders.flatMap((contender) =>
    contender.missing === undefined ? [] : [`${contender.name} ${contender.missing}`],
  );
  const failed = cells.flatMap(({ cell, failures }) =>
    Object.entries(failures).map(([name, message]) => `${name} fails in ${cell}: ${message}`),
  );
  const lines = [...absent, ...failed];
  return lines.length === 0 ? [] : ["", ...lines.map((line) => `- ${line}`), ""];
}

function machineText({ cpu, cores, memoryGb, system, node }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGb} GB, ${system}, Node ${node}`;
}

function targetLines(parts: readonly (readonly [Group, GroupResult])[]): string[] {
  const ofCells = parts.flatMap(([group]) =>
    Object.entries(baselineTargets[group.name] ?? {}).map(
      ([cell, { limit, why }]) => `- ${group.title}, ${cell}: ${limit} × ${group.baseline.name}. ${why}`,
    ),
  );
  const ofFigures = Object.entries(figureTargets).map(
    ([name, { limit, why }]) => `- ${name}: ${limit}. ${why}`,
  );
  return [...ofCells, ...ofFigures];
}
