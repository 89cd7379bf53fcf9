import { ArangoError } from "../../errors.ts";
import { isObject, type Json, objectOf } from "../../json.ts";
import { compareBytes } from "../../storage/indexes/value-order.ts";
import type { CollectClause } from "../ast.ts";
import type { Compilation, Scope } from "../compilation.ts";
import { compileExpression } from "../expressions/expressions.ts";
import { functions } from "../functions/functions.ts";
import type { Evaluate, Operator, Row, Run } from "../run.ts";

const aggregators = new Set([
  "LENGTH",
  "COUNT",
  "MIN",
  "MAX",
  "SUM",
  "AVERAGE",
  "AVG",
  "UNIQUE",
  "SORTED_UNIQUE",
  "COUNT_DISTINCT",
  "COUNT_UNIQUE",
]);

interface Group {
  readonly values: Json[];
  readonly rows: Row[];
}

/** The variables of the loops that a COLLECT ends, by name: what INTO puts into each member of a group. */
export type LoopVariables = ReadonlyMap<string, number>;

export function compileCollect(
  clause: CollectClause,
  before: Scope,
  after: Scope,
  loop: LoopVariables,
  compilation: Compilation,
): Operator {
  const groupValues = clause.groups.map(({ value }) => compileExpression(value, before, compilation));
  const aggregates = clause.aggregates.map(({ value }) => compileAggregate(value, before, compilation));
  const member = compileMember(clause, before, loop, compilation);
  const groupSlots = clause.groups.map(({ name }) => compilation.declare(after, name));
  const aggregateSlots = clause.aggregates.map(({ name }) => compilation.declare(after, name));
  const countSlot = clause.count === null ? undefined : compilation.declare(after, clause.count);
  const intoSlot = clause.into === null ? undefined : compilation.declare(after, clause.into.name);
  return function* collect(rows, run, start) {
    const groups = groupRows(rows, groupValues, run);
    // Without a grouping there is one group, be it an empty one.
    if (groupValues.length === 0 && groups.length === 0) groups.push({ values: [], rows: [] });
    for (const { values, rows: members } of groups) {
      const row = (members[0] ?? start).slice();
      for (const [at, slot] of groupSlots.entries()) row[slot] = values[at];
      for (const [at, slot] of aggregateSlots.entries()) row[slot] = aggregates[at]?.(members, run);
      if (countSlot !== undefined) row[countSlot] = members.length;
      if (intoSlot !== undefined) row[intoSlot] = members.map((each) => member(each, run));
      yield row;
    }
  };
}

/** The groups in the order of their values: COLLECT sorts. Equality is by bytes. */
function groupRows(rows: Iterable<Row>, values: readonly Evaluate[], run: Run): Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const group = values.map((value) => value(row, run));
    const name = canonical(group);
    const found = groups.get(name);
    if (found === undefined) groups.set(name, { values: group, rows: [row] });
    else found.rows.push(row);
  }
  const sorted = [...groups.values()];
  return values.length === 0
    ? sorted
    : sorted.sort((left, right) => run.order.compare(left.values, right.values));
}

/** The same text for what is equal. */
function canonical(value: Json): string {
  return JSON.stringify(value, (_name, member: Json) =>
    isObject(member)
      ? objectOf(Object.entries(member).sort(([left], [right]) => compareBytes(left, right)))
      : member,
  );
}

/** @throws ArangoError 1574 for what is no aggregating function */
function compileAggregate(
  value: CollectClause["aggregates"][number]["value"],
  scope: Scope,
  compilation: Compilation,
): (rows: readonly Row[], run: Run) => Json {
  if (value.kind !== "call") {
    throw new ArangoError("invalidAggregate", "AQL: aggregate expression must be a function call");
  }
  const { name } = value;
  const definition = functions.get(name);
  if (definition === undefined)
    throw new ArangoError("functionUnknown", `AQL: usage of unknown function '${name}()'`);
  if (!aggregators.has(name))
    throw new ArangoError("invalidAggregate", "AQL: unknown aggregate function used");
  if (name === "LENGTH" || name === "COUNT") return (rows) => rows.length;
  const [argument] = value.arguments;
  if (argument === undefined || value.arguments.length > 1) {
    throw new ArangoError("functionArguments", `AQL: invalid number of arguments for function '${name}()'`);
  }
  const evaluate = compileExpression(argument, scope, compilation);
  return (rows, run) => definition.apply([rows.map((row) => evaluate(row, run))], run);
}

function compileMember(
  { into, keep }: CollectClause,
  before: Scope,
  loop: LoopVariables,
  compilation: Compilation,
): Evaluate {
  if (into?.value) return compileExpression(into.value, before, compilation);
  const names = keep ?? [...loop.keys()];
  const slots = names.map((name): [string, number] => {
    const slot = before.find(name);
    if (slot === undefined) {
      throw new ArangoError("queryParse", `AQL: syntax error, use of unknown variable '${name}' for KEEP`);
    }
    return [name, slot];
  });
  return (row) => objectOf(slots.map(([name, slot]) => [name, row[slot] ?? null]));
}
