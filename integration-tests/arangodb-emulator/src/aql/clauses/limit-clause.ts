import { ArangoError } from "../../errors.ts";
import type { Expression } from "../ast.ts";
import { type Compilation, Scope } from "../compilation.ts";
import { compileExpression } from "../expressions/expressions.ts";
import type { Evaluate, Operator, Run } from "../run.ts";

export interface LimitContext {
  /** Whether a modification stands before: then every row has to be taken, whatever the limit. */
  readonly takesAll: boolean;
  /** Whether it is the last LIMIT of the query: the one that `fullCount` looks behind. */
  readonly isLast: boolean;
}

export function compileLimit(
  clause: { readonly offset: Expression | null; readonly count: Expression },
  compilation: Compilation,
  { takesAll, isLast }: LimitContext,
): Operator {
  // Only literals and bind values: variables are not in sight.
  const compile = (expression: Expression): Evaluate => {
    checkConstant(expression);
    return compileExpression(expression, new Scope(), compilation);
  };
  const offset = clause.offset && compile(clause.offset);
  const count = compile(clause.count);
  return function* limit(rows, run) {
    const from = offset === null ? 0 : numberOf(offset, run);
    const to = from + numberOf(count, run);
    const counts = isLast && run.fullCount !== undefined;
    let seen = 0;
    if (to > from || takesAll || counts) {
      for (const row of takesAll ? [...rows] : rows) {
        if (seen >= from && seen < to) yield row;
        seen++;
        if (seen >= to && !counts) break;
      }
    }
    if (counts) run.fullCount = seen;
  };
}

function checkConstant(expression: Expression): void {
  if (expression.kind === "literal" || expression.kind === "parameter") return;
  if (expression.kind === "binary") {
    checkConstant(expression.left);
    checkConstant(expression.right);
    return;
  }
  throw new ArangoError("numberOutOfRange", "AQL: LIMIT offset/count value is not a literal or a bind value");
}

function numberOf(evaluate: Evaluate, run: Run): number {
  const value = evaluate([], run);
  if (typeof value === "number" && value >= 0) return Math.trunc(value);
  throw new ArangoError(
    "numberOutOfRange",
    "AQL: number out of range: LIMIT offset/count has to be a number >= 0",
  );
}
