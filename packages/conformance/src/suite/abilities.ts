import type { Capabilities } from "@kv/core";

/** What a case may ask of the adapter and of the harness around it. */
export interface Abilities {
  readonly capabilities: Capabilities;
  /** Commits of any keys of the view are atomic. */
  readonly atomic: boolean;
  /** The adapter's clock can be moved. */
  readonly clock: boolean;
  /** What the stores write with where a case names no codec. */
  readonly codec: string;
  /** The data can be opened a second time. */
  readonly reopen: boolean;
  /** The data can be copied and put back. */
  readonly backup: boolean;
}

/** For what can be seen only where time stands still until it is told to pass. */
export function aClock({ clock }: Abilities): string | undefined {
  return clock ? undefined : "its clock cannot be set";
}

/** For what is about the codec `json`, and not about values. */
export function inJson({ codec }: Abilities): string | undefined {
  return codec === "json" ? undefined : `it is about json, and this is ${codec}`;
}

/** For commits of several keys. */
export function atomically({ atomic }: Abilities): string | undefined {
  return atomic ? undefined : "only the keys of one partition are atomic together";
}

/** For what is about ranges, and not only looks at the outcome by them. */
export function ordered({ capabilities }: Abilities): string | undefined {
  return capabilities.ordered ? undefined : "it keeps no order";
}

export function watching({ capabilities }: Abilities): string | undefined {
  return capabilities.watch === false ? "it cannot watch" : undefined;
}
