import { Refusal } from "@kv/core";

/** @throws Refusal `KV_INVALID_OPTION` unless the condition holds */
export function demand(holds: boolean, option: string, kind: string): void {
  if (!holds) throw new Refusal("KV_INVALID_OPTION", `the option ${option} must be ${kind}`);
}
