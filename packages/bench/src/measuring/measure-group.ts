// Measures one group. A process of its own: code that V8 has compiled for one backend would be slower for the next one,
// and the group that is measured last would pay for it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answer } from "../children/child-program.ts";
import { cellsOf, groupOf } from "../groups.ts";
import type { Figure, GroupResult } from "../report/result.ts";
import type { Backend } from "../servers/backend.ts";
import { measureHeap, measureLoopDelay, measureStart } from "./figures.ts";
import { measureGrowth } from "./growth.ts";
import { thisMachine, versionsOf } from "./machine.ts";
import { measureCells } from "./measure-cells.ts";
import { Progress } from "./progress.ts";
import type { Plan } from "./rounds.ts";
import { measureTtlCost } from "./ttl-cost.ts";

export interface Order {
  readonly group: string;
  readonly only: readonly string[];
  readonly quick: boolean;
  /** Why the peers are not installed, if they are not. */
  readonly peersMissing: string | undefined;
}

const { group: groupName, only, quick, peersMissing }: Order = JSON.parse(process.argv[2]!);
const group = groupOf(groupName);
const plan: Plan = quick ? { rounds: 3, roundMs: 30 } : { rounds: 9, roundMs: 120 };
const chosenCells = cellsOf(group).filter(({ name }) => only.length === 0 || only.includes(name));
const isThere = (role: string): boolean => role !== "peer" || peersMissing === undefined;
const present = group.contenders.filter(({ role }) => isThere(role));

const folder = mkdtempSync(join(tmpdir(), "kv-bench-"));
const backend = await group.start?.();
try {
  answer(backend !== undefined && "leftOut" in backend ? backend : await measure(backend));
} finally {
  if (backend !== undefined && "stop" in backend) await backend.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(backend: Backend | undefined): Promise<GroupResult> {
  const date = new Date().toISOString();
  const clear = async (): Promise<void> => backend?.clear();
  const works = only.length === 0 && group.figures !== false ? figureWorks() : [];
  const progress = new Progress(group.name, chosenCells.length + works.length);
  const figures: Figure[] = [];
  const cellResults = await measureCells(present, chosenCells, { folder, plan, progress, clear });
  for (const [title, work] of works) {
    progress.begin(title);
    await clear();
    figures.push(...(await work()));
    progress.end();
  }
  progress.clear();
  return {
    group: group.name,
    date,
    machine: thisMachine(),
    contenders: group.contenders.map((contender) => ({
      name: contender.name,
      role: contender.role,
      ...(contender.byReference ? { byReference: true } : {}),
      versions: versionsOf(contender),
      ...(isThere(contender.role) ? {} : { missing: `could not be installed: ${peersMissing}` }),
    })),
    cells: cellResults,
    figures,
  };
}

type Work = [title: string, work: () => Promise<Figure[]>];

function figureWorks(): Work[] {
  const ours = group.contenders.find(({ role }) => role === "ours")!;
  // Fewer and longer rounds: collecting a heap with a million entries between them takes its time.
  const growthPlan: Plan = quick ? plan : { rounds: 5, roundMs: 250 };
  const sizes = [10_000, quick ? 100_000 : 1_000_000] as const;
  const growth = (order: "sorted" | "scattered"): Work => [
    `growth, ${order} keys`,
    async () => [await measureGrowth(ours, folder, { sizes, plan: growthPlan, order })],
  ];
  const heap: Work = ["heap per entry", () => measureHeap(group, present, folder)];
  return [
    ["TTL cost", async () => [await measureTtlCost(ours, folder, plan)]],
    ["event-loop delay", () => measureLoopDelay(group, ours, folder, quick ? 250 : 1000)],
    ["import, open, first get", () => measureStart(group, present, folder, quick ? 3 : 11)],
    ...(group.inHeap ? [heap] : []),
    growth("sorted"),
    ...(quick ? [] : [growth("scattered")]),
  ];
}
