import { parseArgs } from "node:util";
import { groupOf, groups } from "./groups.ts";
import { cells } from "./workload/cells.ts";

export interface CommandLine {
  readonly groups: readonly string[];
  /** Names of cells; empty: all, and the figures too. */
  readonly only: readonly string[];
  readonly quick: boolean;
  /** Whether the last results of the other groups are shown beside those of this run. */
  readonly merge: boolean;
}

export const usage: string = `pnpm bench [--group ${groups.map(({ name }) => name).join(",")}] [--only get,set,…] [--quick] [--merge]

--group  only these groups
--only   only these cells: ${cells.map(({ name }) => name).join(", ")}
--quick  short rounds, a minute or two: for a first look, too noisy to decide by
--merge  show the last results of the other groups, too, each with the time it was measured at

A full run rewrites packages/bench/results and always merges, so that each group can be measured when the machine has
nothing else to do; one with --only or --quick writes to packages/bench/.cache/results.`;

/** @throws Error with a message for the user if the arguments are invalid */
export function parseCommandLine(args: readonly string[]): CommandLine | "help" {
  const { values } = parseArgs({
    // `pnpm bench -- --quick` means the same.
    args: args.filter((arg) => arg !== "--"),
    options: {
      group: { type: "string" },
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      merge: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const only = values.only?.split(",").filter(Boolean) ?? [];
  const unknown = only.find((name) => !cells.some((cell) => cell.name === name));
  if (unknown !== undefined)
    throw new Error(`no cell "${unknown}"; there are ${cells.map(({ name }) => name).join(", ")}`);
  const named = values.group?.split(",").filter(Boolean).map(groupOf) ?? groups;
  return { groups: named.map(({ name }) => name), only, quick: values.quick, merge: values.merge };
}
