import { ArangoError } from "../../errors.ts";
import { attributeOf, type Document, isObject, type Json, type JsonObject } from "../../json.ts";
import type { Collection } from "../../storage/collection.ts";
import { valueAt } from "../../storage/indexes/index-data.ts";
import { equals } from "../../storage/indexes/value-order.ts";
import type { Expression, UpsertClause } from "../ast.ts";
import { modificationOptions } from "../clause-options.ts";
import { type Compilation, Scope } from "../compilation.ts";
import { toBool } from "../expressions/cast.ts";
import { compileExpression } from "../expressions/expressions.ts";
import { conditionsOf, joinPath } from "../plan/conditions.ts";
import { chooseIndex, type KnownCondition } from "../plan/index-choice.ts";
import type { Operator, Row, Run } from "../run.ts";
import { known } from "./for-clause.ts";
import { modifying, setResult } from "./modification-clause.ts";

type Find = (row: Row, run: Run, collection: Collection) => Document | undefined;

/** A lookup, and then a write that depends on it: between the two, another transaction may have written. */
export function compileUpsert(clause: UpsertClause, scope: Scope, compilation: Compilation): Operator {
  const options = modificationOptions(clause.options);
  const { into, mode } = clause;
  // The lookup is a subquery of its own, which comes first.
  compilation.noteSource(into);
  const find = clause.isFilter
    ? compileFilterSearch(clause.search, scope, compilation, options.readOwnWrites)
    : compileExampleSearch(clause.search, scope, compilation, options.readOwnWrites);
  const oldSlot = compilation.newSlot();
  const newSlot = compilation.newSlot();
  scope.set("OLD", oldSlot);
  const insert = compileExpression(clause.insert, scope, compilation);
  const change = compileExpression(clause.change, scope, compilation);
  scope.set("NEW", newSlot);
  compilation.noteAccess({
    kind: "write",
    source: into,
    level: compilation.level,
    isExclusive: options.exclusive,
  });
  return modifying(options, (row, run) => {
    const collection = run.collection(into);
    const old = find(row, run, collection);
    row[oldSlot] = old ?? null;
    const { writes, transaction } = run;
    if (options.waitForSync || collection.waitForSync) transaction.waitsForDisk = true;
    if (old === undefined) {
      const written = writes.insert(transaction, collection, insert(row, run), options);
      setResult(row, written, false, oldSlot, newSlot);
      return true;
    }
    const attributes = change(row, run);
    if (!isObject(attributes)) throw new ArangoError("documentTypeInvalid", "AQL: invalid document type");
    const input = { ...attributes, _key: attributeOf(old, "_key"), _rev: attributeOf(attributes, "_rev") };
    const written = writes[mode](transaction, collection, input, options);
    setResult(row, written, false, oldSlot, newSlot);
    return written.isChanged;
  });
}

/** `UPSERT { a: 1, b: { c: 2 } }`: the first document that has these values. */
function compileExampleSearch(
  search: Expression,
  scope: Scope,
  compilation: Compilation,
  readOwnWrites: boolean,
): Find {
  const example = compileExpression(search, scope, compilation);
  return (row, run, collection) => {
    const value = example(row, run);
    if (!isObject(value)) throw new ArangoError("queryParse", "AQL: UPSERT needs an object to search for");
    const wanted = flattened(value, []);
    const conditions = wanted.flatMap(({ names, expected }): KnownCondition[] => {
      const path = joinPath(names);
      return path === undefined ? [] : [{ path, relation: "==", value: expected, expression: search }];
    });
    return firstMatch(run, collection, conditions, readOwnWrites, (document) =>
      wanted.every(({ names, expected }) => equals(valueAt(document, names), expected)),
    );
  };
}

interface Wanted {
  readonly names: readonly string[];
  readonly expected: Json;
}

/** Nested objects say something about their attributes, not about being equal as a whole. */
function flattened(example: JsonObject, outer: readonly string[]): Wanted[] {
  return Object.entries(example).flatMap(([name, expected]) => {
    const names = [...outer, name];
    const isNested = isObject(expected) && Object.keys(expected).length > 0;
    return isNested ? flattened(expected, names) : [{ names, expected }];
  });
}

/** `UPSERT FILTER $CURRENT.a > 1`. */
function compileFilterSearch(
  search: Expression,
  scope: Scope,
  compilation: Compilation,
  readOwnWrites: boolean,
): Find {
  const inside = new Scope(scope);
  const slot = compilation.newSlot();
  inside.set("$CURRENT", slot);
  inside.set("CURRENT", slot);
  const holds = compileExpression(search, inside, compilation);
  const conditions = ["$CURRENT", "CURRENT"].flatMap((name) =>
    conditionsOf(search, name, scope, compilation),
  );
  return (row, run, collection) =>
    firstMatch(run, collection, known(conditions, row, run), readOwnWrites, (document) => {
      row[slot] = document;
      return toBool(holds(row, run));
    });
}

function firstMatch(
  run: Run,
  collection: Collection,
  conditions: readonly KnownCondition[],
  readOwnWrites: boolean,
  matches: (document: Document) => boolean,
): Document | undefined {
  const state = readOwnWrites ? run.transaction.stateOf(collection) : run.stateOf(collection);
  const input = {
    collection: collection.name,
    state,
    conditions,
    wanted: undefined,
    order: run.order,
    hint: undefined,
  };
  const scan = run.useIndexes ? chooseIndex(input) : undefined;
  if (scan !== undefined) {
    for (const document of scan.documents) if (matches(document)) return document;
    return undefined;
  }
  for (const [, document] of state.documents.from()) if (matches(document)) return document;
  return undefined;
}
