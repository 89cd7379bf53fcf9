import type { Contender } from "../workload/contender.ts";

/** The measurements of one group, as stored in `results/<group>.json`. */
export interface GroupResult {
  readonly group: string;
  /** When its measurement began, as ISO 8601 in UTC: groups may have been measured in runs of their own. */
  readonly date: string;
  readonly machine: Machine;
  readonly contenders: readonly ContenderResult[];
  readonly cells: readonly CellResult[];
  readonly figures: readonly Figure[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
}

export interface ContenderResult {
  readonly name: string;
  readonly role: Contender["role"];
  readonly byReference?: true;
  /** Package → version. */
  readonly versions: Readonly<Record<string, string>>;
  /** Why it took no part. */
  readonly missing?: string;
}

export interface CellResult {
  readonly cell: string;
  /** Contender → rates a second, round by round, in the cell's unit. Missing: it has no such operation. */
  readonly rates: Readonly<Record<string, readonly number[]>>;
  /** Contender → why there is no rate. */
  readonly failures: Readonly<Record<string, string>>;
}

/** A single number beside the cells. */
export interface Figure {
  readonly name: FigureName;
  readonly contender: string;
  readonly value: number;
  /** Between what it was measured, e.g. `"10,000 and 1,000,000"`, where that depends on the flags. */
  readonly detail?: string;
  /** The parts of which it is the worst, where there are such. */
  readonly parts?: readonly Part[];
}

export type FigureName = "heap" | "start" | "growth" | "growthScattered" | "ttlCost" | "loopDelay";

export interface Part {
  readonly title: string;
  readonly value: number;
  readonly max: number;
}
