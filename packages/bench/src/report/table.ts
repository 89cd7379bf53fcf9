import { cells } from "../workload/cells.ts";
import { formatRate, formatRatio } from "./numbers.ts";
import type { Figure, FigureName, GroupResult } from "./result.ts";
import { median } from "./statistics.ts";
import { figureTargets } from "./targets.ts";
import { type Verdict, verdictsOf } from "./verdict.ts";

/** The cells of a group: rates, ratios, targets. Markdown that is aligned, since a terminal shows it as it is. */
export function cellTable(result: GroupResult, baseline: string): string {
  const present = result.contenders.filter(({ missing }) => missing === undefined);
  const names = present.map(({ name }) => name);
  const marked = (name: string): string =>
    present.some((contender) => contender.name === name && contender.byReference) ? `${name} †` : name;
  const header = ["", ...names.map(marked), `÷ ${baseline}`, "target", "", "÷ best peer", "target", ""];
  const rows = result.cells.map((measured) => {
    const { title = measured.cell, unit = "operations" } =
      cells.find(({ name }) => name === measured.cell) ?? {};
    const verdicts = verdictsOf(result, measured, baseline);
    const rates = names.map((name) =>
      measured.failures[name] === undefined ? formatRate(median(measured.rates[name] ?? [])) : "fails",
    );
    const label = unit === "operations" ? title : `${title}, ${unit}/s`;
    return [label, ...rates, ...judged(verdicts.baseline, () => ""), ...judged(verdicts.bestPeer, marked)];
  });
  return alignedTable(header, rows);
}

function judged(
  verdict: Verdict | undefined,
  naming: (name: string) => string,
): [ratio: string, target: string, met: string] {
  if (verdict === undefined) return ["–", "", ""];
  const { against, ratio, target } = verdict;
  const text = `${formatRatio(ratio)} ${naming(against)}`.trimEnd();
  if (target === undefined) return [text, "", ""];
  const distance = Math.round((1 - ratio / target.limit) * 100);
  return [text, formatRatio(target.limit), verdict.met ? "met" : `missed by ${distance} %`];
}

export interface FigureKind {
  readonly title: string;
  readonly unit: string;
}

export const figureKinds: Readonly<Record<FigureName, FigureKind>> = {
  heap: { title: "heap per entry of 104 B", unit: "B" },
  start: { title: "import, open, first get", unit: "ms" },
  growth: { title: "time of a range, large ÷ small", unit: "×" },
  growthScattered: { title: "the same, keys arrived scattered", unit: "×" },
  ttlCost: { title: "what a TTL adds to a set", unit: "%" },
  loopDelay: { title: "event-loop delay, p99", unit: "ms" },
};

/** The figures of a group; empty where none was measured. */
export function figureTable(result: GroupResult, baseline: string): string {
  if (result.figures.length === 0) return "";
  const ours = result.contenders.find(({ role }) => role === "ours")?.name;
  const rows = (Object.keys(figureKinds) as FigureName[]).flatMap((name) => {
    const found = result.figures.filter((figure) => figure.name === name);
    const own = found.find(({ contender }) => contender === ours);
    if (own === undefined) return [];
    const { title, unit } = figureKinds[name];
    const others = found
      .filter((figure) => figure !== own)
      .map(({ contender, value }) => `${contender} ${value} ${unit}`)
      .join(", ");
    const base = name === "start" ? found.find(({ contender }) => contender === baseline) : undefined;
    return [[title, `${own.value} ${unit}`, ...judgedFigure(own, base, unit), own.detail ?? others]];
  });
  return alignedTable(["", ours ?? "", "target", "", "others, or how"], rows);
}

function judgedFigure(
  { name, value }: Figure,
  base: Figure | undefined,
  unit: string,
): [target: string, met: string] {
  const target = figureTargets[name];
  if (target === undefined) return ["", ""];
  const limit = target.limit + (base?.value ?? 0);
  const text = `${name === "growth" ? "<" : "≤"} ${Math.round(limit * 10) / 10} ${unit}`;
  if (value <= limit) return [text, "met"];
  return [text, `missed by ${Math.round((value - limit) * 100) / 100} ${unit}`];
}

/** Numbers to the right, the first and the wide last column to the left. */
function alignedTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]!.length)),
  );
  const isLeft = (column: number): boolean =>
    column === 0 || (column === header.length - 1 && header.length === 5);
  const line = (row: readonly string[]): string => {
    const padded = row.map((text, column) =>
      isLeft(column) ? text.padEnd(widths[column]!) : text.padStart(widths[column]!),
    );
    return `| ${padded.join(" | ")} |`;
  };
  const rule = `|${widths.map((width, column) => (isLeft(column) ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(header), rule, ...rows.map(line)].join("\n");
}
