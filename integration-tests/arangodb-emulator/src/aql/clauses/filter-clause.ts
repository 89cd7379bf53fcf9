import type { Expression } from "../ast.ts";
import type { Compilation, Scope } from "../compilation.ts";
import { toBool } from "../expressions/cast.ts";
import { compileExpression } from "../expressions/expressions.ts";
import { conjuncts } from "../plan/conditions.ts";
import type { Operator } from "../run.ts";

export function compileFilter(condition: Expression, scope: Scope, compilation: Compilation): Operator {
  const parts = conjuncts(condition).map((expression) => ({
    expression,
    holds: compileExpression(expression, scope, compilation),
  }));
  return function* filter(rows, run) {
    for (const row of rows) {
      const passes = parts.every(
        ({ expression, holds }) => run.decided.has(expression) || toBool(holds(row, run)),
      );
      if (passes) yield row;
      else run.stats.filtered++;
    }
  };
}
