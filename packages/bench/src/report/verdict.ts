import type { CellResult, GroupResult } from "./result.ts";
import { median, ratio } from "./statistics.ts";
import { baselineTargets, peerTarget, type Target } from "./targets.ts";

/** The ratio of our rate to another contender's, and its target. */
export interface Verdict {
  readonly against: string;
  readonly ratio: number;
  readonly target: Target | undefined;
  /** `undefined`: there is no target. */
  readonly met: boolean | undefined;
}

export interface CellVerdicts {
  readonly baseline: Verdict | undefined;
  readonly bestPeer: Verdict | undefined;
}

export function verdictsOf(result: GroupResult, cell: CellResult, baseline: string): CellVerdicts {
  const ours = result.contenders.find(({ role }) => role === "ours")?.name ?? "";
  const judge = (against: string | undefined, target: Target | undefined): Verdict | undefined => {
    const value = against === undefined ? undefined : ratio(cell.rates[ours], cell.rates[against]);
    if (against === undefined || value === undefined) return undefined;
    return { against, ratio: value, target, met: target && rounded(value) >= target.limit };
  };
  return {
    baseline: judge(baseline, baselineTargets[result.group]?.[cell.cell]),
    bestPeer: judge(bestPeer(result, cell), peerTarget(result.group, cell.cell)),
  };
}

/** The peer with the highest median. A contender that is not a store (a plain Map) is not a peer. */
function bestPeer({ contenders }: GroupResult, { rates }: CellResult): string | undefined {
  return contenders
    .filter(({ role }) => role === "peer")
    .map(({ name }) => ({ name, rate: median(rates[name] ?? []) ?? 0 }))
    .filter(({ rate }) => rate > 0)
    .sort((a, b) => b.rate - a.rate)[0]?.name;
}

/** Compared as printed: 0.996 with a target of 1 is shown as 1, so it is not a miss. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
