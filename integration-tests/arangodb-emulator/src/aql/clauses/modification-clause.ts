import { ArangoError } from "../../errors.ts";
import { attributeOf, isObject, type Json, type JsonObject } from "../../json.ts";
import type { Written } from "../../storage/document-writes.ts";
import type { ModificationClause } from "../ast.ts";
import { type ModificationOptions, modificationOptions } from "../clause-options.ts";
import type { Compilation, Scope } from "../compilation.ts";
import { compileExpression } from "../expressions/expressions.ts";
import type { Operator, Row, Run } from "../run.ts";

/** INSERT, UPDATE, REPLACE, REMOVE. */
export function compileModification(
  clause: ModificationClause,
  scope: Scope,
  compilation: Compilation,
): Operator {
  const options = modificationOptions(clause.options);
  const subject = compileExpression(clause.subject, scope, compilation);
  const change = clause.change && compileExpression(clause.change, scope, compilation);
  const { kind, into } = clause;
  compilation.noteAccess({
    kind: "write",
    source: into,
    level: compilation.level,
    isExclusive: options.exclusive,
  });
  const oldSlot = compilation.newSlot();
  const newSlot = compilation.newSlot();
  scope.set("OLD", oldSlot);
  if (kind !== "remove") scope.set("NEW", newSlot);
  return modifying(options, (row, run) => {
    const collection = run.collection(into);
    const named = subject(row, run);
    const { writes, transaction } = run;
    let written: Written;
    if (kind === "insert") written = writes.insert(transaction, collection, named, options);
    else {
      const input = inputOf(
        named,
        change === null ? null : change(row, run),
        kind !== "remove" && change !== null,
      );
      written = writes[kind](transaction, collection, input, options);
    }
    setResult(row, written, kind === "insert" && !written.isChanged, oldSlot, newSlot);
    if (written.isChanged && (options.waitForSync || collection.waitForSync)) transaction.waitsForDisk = true;
    return written.isChanged;
  });
}

/**
 * Takes every row before it gives one on, as the server works through a batch: what follows sees all the writes done, and a
 * LIMIT behind it prevents none.
 */
export function modifying(options: ModificationOptions, write: (row: Row, run: Run) => boolean): Operator {
  return (rows, run) => {
    const done: Row[] = [];
    for (const row of rows) {
      try {
        if (write(row, run)) run.stats.writesExecuted++;
        done.push(row);
      } catch (error) {
        if (!options.ignoreErrors || !(error instanceof ArangoError)) throw error;
        run.stats.writesIgnored++;
      }
    }
    return done;
  };
}

/** OLD and NEW. After an INSERT that left an existing document alone, both are null. */
export function setResult(
  row: Row,
  written: Written,
  isIgnored: boolean,
  oldSlot: number,
  newSlot: number,
): void {
  row[oldSlot] = isIgnored ? null : (written.old ?? null);
  row[newSlot] = isIgnored ? null : (written.new ?? null);
}

/** The attributes of `change`, or of what names the document, under its key and with its revision. */
function inputOf(named: Json, change: Json, hasChange: boolean): JsonObject {
  if (typeof named !== "string" && !isObject(named))
    throw new ArangoError("documentTypeInvalid", "AQL: invalid document type");
  const key = typeof named === "string" ? named : attributeOf(named, "_key");
  if (key === null) throw new ArangoError("keyMissing", "AQL: missing document key");
  if (!hasChange) return typeof named === "string" ? { _key: key } : named;
  if (!isObject(change)) throw new ArangoError("documentTypeInvalid", "AQL: invalid document type");
  return { ...change, _key: key, _rev: attributeOf(named, "_rev") };
}
