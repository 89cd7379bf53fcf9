import { isArray, type Json } from "../../json.ts";
import { finite } from "../expressions/arithmetic.ts";
import { toNumber } from "../expressions/cast.ts";
import { type Family, type FunctionDefinition, fn, mismatch, volatile } from "./definition.ts";

function number(compute: (value: number) => number): FunctionDefinition {
  return fn(1, 1, ([value = null], run) => finite(compute(toNumber(value)), run));
}

/** Over the numbers of an array, null left out; null where there are none, or where something else is among them. */
function over(name: string, reduce: (numbers: readonly number[]) => number | null): FunctionDefinition {
  return fn(1, 1, ([values = null], run) => {
    if (!isArray(values)) return mismatch(name, run);
    const present = values.filter((value) => value !== null);
    const numbers = present.filter((value) => typeof value === "number");
    if (numbers.length < present.length) return mismatch(name, run);
    const result = reduce(numbers);
    return result === null ? null : finite(result, run);
  });
}

/** The smallest or largest value of any type, null left out. */
function extreme(name: string, sign: 1 | -1): FunctionDefinition {
  return fn(1, 1, ([values = null], run) => {
    if (!isArray(values)) return mismatch(name, run);
    return values.reduce<Json>((best, value) => {
      if (value === null) return best;
      return best === null || run.order.compare(value, best) * sign < 0 ? value : best;
    }, null);
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}

const average = over("AVERAGE", (numbers) => (numbers.length === 0 ? null : sum(numbers) / numbers.length));

export const numberFunctions: Family = {
  FLOOR: number(Math.floor),
  CEIL: number(Math.ceil),
  // Halves go up, as everywhere in AQL: ROUND(-2.5) is -2.
  ROUND: number((value) => Math.floor(value + 0.5)),
  ABS: number(Math.abs),
  SQRT: number(Math.sqrt),
  LOG: number(Math.log),
  LOG2: number(Math.log2),
  LOG10: number(Math.log10),
  EXP: number(Math.exp),
  POW: fn(2, 2, ([base = null, exponent = null], run) => finite(toNumber(base) ** toNumber(exponent), run)),
  MIN: extreme("MIN", 1),
  MAX: extreme("MAX", -1),
  SUM: over("SUM", sum),
  PRODUCT: over("PRODUCT", (numbers) => numbers.reduce((total, value) => total * value, 1)),
  AVERAGE: average,
  AVG: average,
  RAND: volatile(0, 0, () => Math.random()),
};
