import { ArangoError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import type { SortElement } from "../ast.ts";
import type { Compilation, Scope } from "../compilation.ts";
import { compileExpression } from "../expressions/expressions.ts";
import type { Operator, Row, Run } from "../run.ts";

/** Sorts by values in the server's language; what compares as equal stays in its order. */
export function compileSort(
  clause: object,
  elements: readonly SortElement[],
  scope: Scope,
  compilation: Compilation,
): Operator {
  const parts = elements.map(({ value, direction }) => ({
    value: compileExpression(value, scope, compilation),
    sign: signOf(direction, scope, compilation),
  }));
  return function* sort(rows, run) {
    const iterator = rows[Symbol.iterator]();
    // The loop before decides, when it starts, whether an index does the sorting.
    let next = iterator.next();
    const isPresorted = run.presorted.has(clause);
    const found: { row: Row; values: Json[] }[] = [];
    for (; next.done !== true; next = iterator.next()) {
      const row = next.value;
      if (isPresorted) yield row;
      else found.push({ row, values: parts.map(({ value }) => value(row, run)) });
    }
    const signs = parts.map(({ sign }) => sign(run));
    found.sort((left, right) => {
      for (const [at, sign] of signs.entries()) {
        const order = run.order.compare(left.values[at] ?? null, right.values[at] ?? null);
        if (order !== 0) return order * sign;
      }
      return 0;
    });
    for (const { row } of found) yield row;
  };
}

function signOf(
  direction: SortElement["direction"],
  scope: Scope,
  compilation: Compilation,
): (run: Run) => number {
  if (direction === null || direction === "ASC") return () => 1;
  if (direction === "DESC") return () => -1;
  const evaluate = compileExpression(direction, scope, compilation);
  return (run) => {
    const value = evaluate([], run);
    if (value === true || (typeof value === "string" && value.toUpperCase() === "ASC")) return 1;
    if (value === false || (typeof value === "string" && value.toUpperCase() === "DESC")) return -1;
    throw new ArangoError("queryParse", "AQL: syntax error, invalid sort direction");
  };
}
