import type { Capabilities } from "@kv/core";

/** The features of the adapter and its harness that a case may require. */
export interface Abilities {
  readonly capabilities: Capabilities;
  /** Commits of any keys in the view are atomic. */
  readonly atomic: boolean;
  /** The adapter's clock can be moved. */
  readonly clock: boolean;
  /** The codec that stores write with unless a case names another one. */
  readonly codec: string;
  /** A second adapter can open the data. */
  readonly reopen: boolean;
  /** The data can be copied and restored. */
  readonly backup: boolean;
}

/** Required by cases that need a clock which stands still until it is advanced. */
export function aClock({ clock }: Abilities): string | undefined {
  return clock ? undefined : "its clock cannot be set";
}

/** Required by cases about the codec `json` itself. */
export function inJson({ codec }: Abilities): string | undefined {
  return codec === "json" ? undefined : `it is about json, and this is ${codec}`;
}

/** Required by commits of several keys. */
export function atomically({ atomic }: Abilities): string | undefined {
  return atomic ? undefined : "only the keys of one partition are atomic together";
}

/** Required by cases about ranges; other cases may still use ranges to look at their outcome. */
export function ordered({ capabilities }: Abilities): string | undefined {
  return capabilities.ordered ? undefined : "it keeps no order";
}

export function watching({ capabilities }: Abilities): string | undefined {
  return capabilities.watch === false ? "it cannot watch" : undefined;
}
