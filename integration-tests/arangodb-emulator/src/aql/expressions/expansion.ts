import { isArray, type Json } from "../../json.ts";
import type { Expansion } from "../ast.ts";
import type { Compilation, Scope } from "../compilation.ts";
import type { Evaluate } from "../run.ts";
import { toBool, toNumber } from "./cast.ts";
import { compileExpression } from "./expressions.ts";

/** `of[* FILTER … LIMIT … RETURN …].rest`. */
export function compileExpansion(expansion: Expansion, scope: Scope, compilation: Compilation): Evaluate {
  const of = compileExpression(expansion.of, scope, compilation);
  const slot = compilation.newSlot();
  const { filter, projection, each } = compilation.withCurrent(slot, () => ({
    filter: expansion.filter && compileExpression(expansion.filter, scope, compilation),
    projection: expansion.projection && compileExpression(expansion.projection, scope, compilation),
    each: compileExpression(expansion.each, scope, compilation),
  }));
  const offset = expansion.limit?.offset && compileExpression(expansion.limit.offset, scope, compilation);
  const count = expansion.limit && compileExpression(expansion.limit.count, scope, compilation);
  return (row, run) => {
    const value = of(row, run);
    if (!isArray(value)) return [];
    let members = flatten(value, expansion.levels - 1);
    const outer = row[slot];
    if (filter !== null) {
      members = members.filter((member) => {
        row[slot] = member;
        return toBool(filter(row, run));
      });
    }
    if (count !== null) {
      const start = offset ? Math.max(0, toNumber(offset(row, run))) : 0;
      members = members.slice(start, start + Math.max(0, toNumber(count(row, run))));
    }
    const result = members.map((member) => {
      row[slot] = member;
      if (projection === null) return each(row, run);
      row[slot] = projection(row, run);
      return each(row, run);
    });
    row[slot] = outer;
    return result;
  };
}

/** Takes out as many levels of arrays in arrays. */
export function flatten(values: readonly Json[], depth: number): readonly Json[] {
  if (depth <= 0) return values;
  return values.flatMap((value) => (isArray(value) ? flatten(value, depth - 1) : [value]));
}
