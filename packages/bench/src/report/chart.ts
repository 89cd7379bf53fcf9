import { cells } from "../workload/cells.ts";
import { chartStyle, PEER_CLASSES } from "./chart-style.ts";
import { LogScale } from "./log-scale.ts";
import { formatRate } from "./numbers.ts";
import type { CellResult, GroupResult } from "./result.ts";
import { median, ratio } from "./statistics.ts";
import { baselineTargets } from "./targets.ts";

const WIDTH = 960;
const LEFT = 210;
const RIGHT = 840;
const ROW = 26;
const HEAD = 78;
const FOOT = 38;
const MARGIN = 20;

interface Panel {
  readonly result: GroupResult;
  readonly title: string;
  readonly baseline: string;
}

/** Every cell as a row of dots: how many times as fast as the baseline each contender is, on a logarithmic scale. */
export function chart(panels: readonly Panel[]): string {
  const heights = panels.map(({ result }) => HEAD + result.cells.length * ROW + FOOT);
  const height = MARGIN * 2 + heights.reduce((sum, each) => sum + each, 0);
  let top = MARGIN;
  const classes = classesOf(panels);
  const drawn = panels.map((panel, index) => {
    const group = `<g transform="translate(0 ${top})">\n${drawPanel(panel, classes)}\n</g>`;
    top += heights[index]!;
    return group;
  });
  const title = `Speed of @kv and others: ${panels.map((panel) => panel.title).join(", ")}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<style>
${chartStyle}
</style>
<rect class="paper" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="10"/>
${drawn.join("\n")}
</svg>
`;
}

function drawPanel({ result, title, baseline }: Panel, classes: ReadonlyMap<string, string>): string {
  const present = result.contenders.filter(({ missing }) => missing === undefined);
  const styles = new Map(present.map(({ name }) => [name, classes.get(name) ?? ""]));
  const rows = result.cells.map((cell) => ratiosOf(cell, baseline));
  const targets = result.cells.map((cell) => baselineTargets[result.group]?.[cell.cell]?.limit);
  const all = [
    ...rows.flatMap((row) => [...row.values()]),
    ...targets.filter((target) => target !== undefined),
    1,
  ];
  const scale = new LogScale(Math.min(...all), Math.max(...all), LEFT, RIGHT);
  const bottom = HEAD + result.cells.length * ROW;
  const lines = scale.ticks().map((tick) => {
    const x = round(scale.x(tick));
    const label = `<text class="tick" x="${x}" y="${bottom + 18}" text-anchor="middle">${tick.toLocaleString("en", { maximumFractionDigits: 6 })}×</text>`;
    return `<line class="${tick === 1 ? "one" : "grid"}" x1="${x}" x2="${x}" y1="${HEAD - 8}" y2="${bottom}"/>${label}`;
  });
  const drawnRows = result.cells.map((cell, index) =>
    drawRow({
      cell,
      y: HEAD + index * ROW + ROW / 2,
      ratios: rows[index]!,
      target: targets[index],
      scale,
      styles,
    }),
  );
  return [
    `<text class="title" x="24" y="26">${escaped(title)}</text>`,
    `<text class="subtitle" x="${WIDTH - 24}" y="26" text-anchor="end">times as fast as ${escaped(baseline)}; at the right what ours does in a second</text>`,
    legend(styles, baseline),
    ...lines,
    ...drawnRows,
  ].join("\n");
}

interface Row {
  readonly cell: CellResult;
  readonly y: number;
  readonly ratios: ReadonlyMap<string, number>;
  readonly target: number | undefined;
  readonly scale: LogScale;
  readonly styles: ReadonlyMap<string, string>;
}

function drawRow({ cell, y, ratios, target, scale, styles }: Row): string {
  const title = cells.find(({ name }) => name === cell.cell)?.title ?? cell.cell;
  const ours = [...styles].find(([, style]) => style === "ours")?.[0] ?? "";
  // Ours last, and so on top.
  const dots = [...ratios]
    .sort(([a], [b]) => Number(a === ours) - Number(b === ours))
    .map(([name, value]) => {
      const hint = `<title>${escaped(`${name}: ${value.toPrecision(3)}×`)}</title>`;
      return `<circle class="${styles.get(name)}" cx="${round(scale.x(value))}" cy="${y}" r="${name === ours ? 6.5 : 4.5}">${hint}</circle>`;
    });
  const own = ratios.get(ours);
  const bar =
    own === undefined
      ? ""
      : `<line class="lead" x1="${round(scale.x(1))}" x2="${round(scale.x(own))}" y1="${y}" y2="${y}"/>`;
  const mark =
    target === undefined
      ? ""
      : `<line class="target" x1="${round(scale.x(target))}" x2="${round(scale.x(target))}" y1="${y - 9}" y2="${y + 9}"><title>target: ${target}×</title></line>`;
  const rate = formatRate(median(cell.rates[ours] ?? []));
  return [
    `<text class="label" x="${LEFT - 22}" y="${y + 4}" text-anchor="end">${escaped(title)}</text>`,
    bar,
    mark,
    ...dots,
    `<text class="rate" x="${WIDTH - 24}" y="${y + 4}" text-anchor="end">${rate}/s</text>`,
  ].join("");
}

function ratiosOf(cell: CellResult, baseline: string): Map<string, number> {
  const entries = Object.keys(cell.rates).flatMap((name) => {
    const value = ratio(cell.rates[name], cell.rates[baseline]);
    return value === undefined ? [] : [[name, value] as const];
  });
  return new Map(entries);
}

/** The same contender has the same colour in every panel, and no two of a panel have the same. */
function classesOf(panels: readonly Panel[]): Map<string, string> {
  const classes = new Map<string, string>();
  let peers = 0;
  for (const { result, baseline } of panels) {
    const taken = new Set(result.contenders.map(({ name }) => classes.get(name)));
    for (const { name, role } of result.contenders) {
      if (classes.has(name)) continue;
      if (role === "ours") classes.set(name, "ours");
      else if (name === baseline) classes.set(name, "baseline");
      else {
        const next = PEER_CLASSES.map((_, index) => PEER_CLASSES[(peers + index) % PEER_CLASSES.length]!);
        const chosen = next.find((each) => !taken.has(each)) ?? next[0]!;
        classes.set(name, chosen);
        taken.add(chosen);
        peers = PEER_CLASSES.indexOf(chosen) + 1;
      }
    }
  }
  return classes;
}

function legend(styles: ReadonlyMap<string, string>, baseline: string): string {
  let x = 30;
  const items = [...styles].map(([name, style]) => {
    const text = name === baseline ? `${name} = 1` : name;
    const item = `<circle class="${style}" cx="${round(x)}" cy="50" r="${style === "ours" ? 6.5 : 4.5}"/><text class="legend" x="${round(x + 12)}" y="54">${escaped(text)}</text>`;
    x += 38 + text.length * 7.4;
    return item;
  });
  const target = `<line class="target" x1="${round(x)}" x2="${round(x)}" y1="41" y2="59"/><text class="legend" x="${round(x + 9)}" y="54">target</text>`;
  return [...items, target].join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
