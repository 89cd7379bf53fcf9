import type { Json } from "../../json.ts";
import type { Run } from "../run.ts";

export type Apply = (values: readonly Json[], run: Run) => Json;

export interface FunctionDefinition {
  readonly min: number;
  readonly max: number;
  readonly apply: Apply;
  /** Whether it looks into collections: not allowed after a modification. */
  readonly readsDocuments: boolean;
  /** Whether two calls with the same arguments answer the same. */
  readonly isDeterministic: boolean;
}

export type Family = Readonly<Record<string, FunctionDefinition>>;

/** A function of so many arguments. */
export function fn(min: number, max: number, apply: Apply): FunctionDefinition {
  return { min, max, apply, readsDocuments: false, isDeterministic: true };
}

export function volatile(min: number, max: number, apply: Apply): FunctionDefinition {
  return { ...fn(min, max, apply), isDeterministic: false };
}

export function reading(min: number, max: number, apply: Apply): FunctionDefinition {
  return { ...fn(min, max, apply), readsDocuments: true };
}

export const many: number = Number.POSITIVE_INFINITY;

/** What a function answers, with a warning, to an argument of a wrong type. */
export function mismatch(name: string, run: Run): null {
  run.warn("functionArgumentType", `invalid argument type in call to function '${name}()'`);
  return null;
}
