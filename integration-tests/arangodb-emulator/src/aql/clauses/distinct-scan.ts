import { objectOf } from "../../json.ts";
import type { Clause, ForClause } from "../ast.ts";
import type { Scope } from "../compilation.ts";
import { sourceOf } from "../expressions/expressions.ts";
import { pathOf, resolvePath } from "../plan/conditions.ts";
import type { Operator } from "../run.ts";

/**
 * `FOR d IN c COLLECT v = d.attribute` and nothing else: an index that begins with the attribute gives one document for
 * each of its values, found by seeking. Undefined where the two clauses are something else.
 */
export function compileDistinctScan(
  loop: ForClause,
  next: Clause | undefined,
  scope: Scope,
  slot: number,
): ((otherwise: Operator) => Operator) | undefined {
  const source = sourceOf(loop.source, scope);
  if (source === undefined || loop.options !== null || next?.kind !== "collect") return undefined;
  const [group, ...more] = next.groups;
  if (group === undefined || more.length > 0 || next.aggregates.length > 0) return undefined;
  if (next.count !== null || next.into !== null) return undefined;
  const path = pathOf(group.value, loop.variable);
  // A path of one name: the document that is made up for a value has just this attribute.
  if (path?.length !== 1) return undefined;
  return (otherwise) =>
    function* scanDistinct(rows, run, start) {
      const name = resolvePath(path, run);
      const index = run
        .stateOf(run.collection(source))
        .indexes.find(
          ({ definition: { type, sparse, fields } }) =>
            type === "persistent" && !sparse && fields[0] === name,
        );
      if (index === undefined || name === undefined || !run.useIndexes) {
        yield* otherwise(rows, run, start);
        return;
      }
      for (const row of rows) {
        for (const value of index.distinctFirst()) {
          run.stats.scannedIndex++;
          const copy = row.slice();
          copy[slot] = objectOf([[name, value]]);
          yield copy;
        }
      }
    };
}
