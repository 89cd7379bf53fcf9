import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CellResult } from "../report/result.ts";
import type { Cell } from "../workload/cells.ts";
import type { Contender } from "../workload/contender.ts";
import { openAll } from "../workload/opened.ts";
import type { Progress } from "./progress.ts";
import { interleave, type Plan } from "./rounds.ts";

export interface Bench {
  readonly folder: string;
  readonly plan: Plan;
  readonly progress: Progress;
  /** Empties what is not in the folder. */
  clear(): Promise<void>;
}

/** Measures the cells, all contenders within each one. */
export async function measureCells(
  contenders: readonly Contender[],
  cells: readonly Cell[],
  { folder, plan, progress, clear }: Bench,
): Promise<CellResult[]> {
  const results: CellResult[] = [];
  // The hundred thousand entries of the scans are in stores of their own, and not in the way of the other cells.
  for (const ordered of [false, true]) {
    const chosen = cells.filter(({ needs }) => (needs === "ordered") === ordered);
    if (chosen.length === 0) continue;
    progress.begin(ordered ? "filling with 100,000 entries" : "filling");
    const inner = join(folder, ordered ? "ordered" : "cells");
    mkdirSync(inner);
    await clear();
    const opened = await openAll(contenders, new Set(chosen.map(({ needs }) => needs)), inner);
    for (const cell of chosen) {
      progress.begin(cell.title);
      const lanes = [...opened.subjects]
        .filter(([, subject]) => cell.supports(subject))
        .map(([name, subject]) => ({ name, run: (from: number, to: number) => cell.run(subject, from, to) }));
      const outcome = [...(await interleave(lanes, plan))];
      const rates = outcome.flatMap(([name, found]) =>
        found instanceof Error
          ? []
          : [[name, found.map((rate) => Math.round(rate * cell.perStep * 10) / 10)] as const],
      );
      const failures = outcome.flatMap(([name, found]) =>
        found instanceof Error ? [[name, found.message] as const] : [],
      );
      results.push({
        cell: cell.name,
        rates: Object.fromEntries(rates),
        failures: { ...opened.failures, ...Object.fromEntries(failures) },
      });
      progress.end();
    }
    await opened.close();
  }
  return results;
}
