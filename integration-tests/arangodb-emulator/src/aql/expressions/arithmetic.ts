import type { Json } from "../../json.ts";
import type { Run } from "../run.ts";
import { toNumber } from "./cast.ts";

type Compute = (left: number, right: number) => number;

const operations: Readonly<Record<string, Compute>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right,
};

/** The function of an arithmetic operator; undefined for other operators. */
export function arithmetic(operator: string): ((left: Json, right: Json, run: Run) => Json) | undefined {
  const compute = operations[operator];
  if (compute === undefined) return undefined;
  const divides = operator === "/" || operator === "%";
  return (left, right, run) => {
    const divisor = toNumber(right);
    if (divides && divisor === 0) {
      run.warn("divisionByZero", "division by zero");
      return null;
    }
    return finite(compute(toNumber(left), divisor), run);
  };
}

/** What is no number in JSON is null in AQL. */
export function finite(value: number, run: Run): Json {
  if (Number.isFinite(value)) return value === 0 ? 0 : value;
  run.warn("numberOutOfRange", "number out of range");
  return null;
}
