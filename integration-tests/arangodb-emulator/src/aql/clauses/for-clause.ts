import { ArangoError } from "../../errors.ts";
import { attributeOf, type Document, isArray, type Json, type JsonObject } from "../../json.ts";
import type { Clause, DataSource, ForClause, SortElement } from "../ast.ts";
import { constantOptions } from "../clause-options.ts";
import type { Compilation, Scope } from "../compilation.ts";
import { typeName } from "../expressions/cast.ts";
import { compileExpression, sourceOf } from "../expressions/expressions.ts";
import { type Condition, conditionsAfter, type Path, pathOf, resolvePath } from "../plan/conditions.ts";
import { chooseIndex, type KnownCondition, type Scan, type WantedOrder } from "../plan/index-choice.ts";
import type { Operator, Row, Run } from "../run.ts";

/** What stands around a loop, for the choice of its index. */
export interface LoopContext {
  readonly following: readonly Clause[];
  /** Whether the loop runs once for its block: only then can an index do the work of a SORT. */
  readonly isOutermost: boolean;
}

export function compileFor(
  clause: ForClause,
  before: Scope,
  inside: Scope,
  compilation: Compilation,
  context: LoopContext,
): Operator {
  const options = constantOptions(clause.options);
  const source = sourceOf(clause.source, before);
  if (source === undefined) return compileList(clause, before, inside, compilation);
  compilation.noteAccess({ kind: "read", source, level: compilation.level });
  const slot = compilation.declare(inside, clause.variable);
  const conditions = conditionsAfter(context.following, clause.variable, before, compilation);
  const sort = context.isOutermost ? sortAfter(context.following, clause.variable, compilation) : undefined;
  const scan = scanner(source, conditions, sort, options);
  return function* scanCollection(rows, run) {
    for (const row of rows) {
      for (const document of scan(row, run)) {
        const copy = row.slice();
        copy[slot] = document;
        yield copy;
      }
    }
  };
}

function compileList(clause: ForClause, before: Scope, inside: Scope, compilation: Compilation): Operator {
  const list = compileExpression(clause.source, before, compilation);
  const slot = compilation.declare(inside, clause.variable);
  return function* enumerate(rows, run) {
    for (const row of rows) {
      for (const value of arrayOf(list(row, run))) {
        const copy = row.slice();
        copy[slot] = value;
        yield copy;
      }
    }
  };
}

function arrayOf(value: Json): readonly Json[] {
  if (isArray(value)) return value;
  throw new ArangoError(
    "arrayExpected",
    `AQL: collection or array expected as operand to FOR loop; you provided a value of type '${typeName(value)}'`,
  );
}

interface SortAfter {
  readonly clause: object;
  readonly paths: readonly Path[];
  readonly isDescending: boolean;
}

/** The SORT that follows with nothing but FILTERs and LETs in between, where it sorts by attributes in one direction. */
function sortAfter(
  following: readonly Clause[],
  variable: string,
  compilation: Compilation,
): SortAfter | undefined {
  const clause = following.find(({ kind }) => kind !== "filter" && kind !== "let");
  if (clause?.kind !== "sort") return undefined;
  const paths = clause.elements.map(({ value }) => pathOf(value, variable));
  const directions = new Set(clause.elements.map(directionOf));
  if (!paths.every((path) => path !== undefined) || directions.size !== 1 || directions.has(undefined))
    return undefined;
  for (const step of paths.flat()) if (typeof step !== "string") compilation.parameters.add(step.parameter);
  return { clause, paths, isDescending: directions.has("DESC") };
}

function directionOf({ direction }: SortElement): "ASC" | "DESC" | undefined {
  if (direction === null) return "ASC";
  return typeof direction === "string" ? direction : undefined;
}

/** The documents of a collection that a loop has to look at. */
export function scanner(
  source: DataSource,
  conditions: readonly Condition[],
  sort: SortAfter | undefined,
  options: JsonObject,
): (row: Row, run: Run) => Iterable<Document> {
  const hint = hintOf(attributeOf(options, "indexHint"));
  const forced = attributeOf(options, "forceIndexHint") === true;
  const isDisabled = attributeOf(options, "disableIndex") === true;
  return (row, run) => {
    const collection = run.collection(source);
    const state = run.stateOf(collection);
    if (sort !== undefined) run.presorted.delete(sort.clause);
    for (const { expression } of conditions) run.decided.delete(expression);
    let scan: Scan | undefined;
    if (run.useIndexes && !isDisabled) {
      const input = {
        collection: collection.name,
        state,
        conditions: known(conditions, row, run),
        wanted: sort && wantedOrder(sort, run),
        order: run.order,
      };
      if (hint !== undefined) scan = chooseIndex({ ...input, hint });
      if (scan === undefined && hint !== undefined && forced) throw new ArangoError("forcedIndexHint");
      scan ??= chooseIndex({ ...input, hint: undefined });
    }
    if (scan === undefined) return counted(allOf(state.documents.from()), run, "scannedFull");
    if (scan.isSorted && sort !== undefined) run.presorted.add(sort.clause);
    for (const expression of scan.decided) run.decided.add(expression);
    return counted(scan.documents, run, "scannedIndex");
  };
}

function hintOf(value: Json): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  return isArray(value) ? value.filter((name) => typeof name === "string") : undefined;
}

export function known(conditions: readonly Condition[], row: Row, run: Run): KnownCondition[] {
  return conditions.flatMap(({ path, relation, value, expression }) => {
    const name = resolvePath(path, run);
    return name === undefined ? [] : [{ path: name, relation, value: value(row, run), expression }];
  });
}

function wantedOrder({ paths, isDescending }: SortAfter, run: Run): WantedOrder | undefined {
  const names = paths.map((path) => resolvePath(path, run));
  return names.every((name) => name !== undefined) ? { paths: names, isDescending } : undefined;
}

function* allOf(entries: Iterable<readonly [string, Document]>): Generator<Document, void> {
  for (const [, document] of entries) yield document;
}

function* counted(
  documents: Iterable<Document>,
  run: Run,
  stat: "scannedFull" | "scannedIndex",
): Generator<Document, void> {
  for (const document of documents) {
    run.stats[stat]++;
    yield document;
  }
}
