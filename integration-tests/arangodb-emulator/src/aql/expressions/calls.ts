import { ArangoError } from "../../errors.ts";
import type { Expression } from "../ast.ts";
import type { Compilation, Scope } from "../compilation.ts";
import { functions } from "../functions/functions.ts";
import type { Evaluate } from "../run.ts";
import { compileExpression, sourceOf } from "./expressions.ts";

const counting = new Set(["LENGTH", "COUNT", "COLLECTION_COUNT"]);

type Call = Extract<Expression, { kind: "call" }>;

/** @throws ArangoError 1540 for a function that there isn't, 1541 for a wrong number of arguments */
export function compileCall(call: Call, scope: Scope, compilation: Compilation): Evaluate {
  const { name } = call;
  const definition = functions.get(name);
  if (definition === undefined)
    throw new ArangoError("functionUnknown", `AQL: usage of unknown function '${name}()'`);
  const { min, max, apply } = definition;
  if (call.arguments.length < min || call.arguments.length > max) {
    throw new ArangoError(
      "functionArguments",
      `AQL: invalid number of arguments for function '${name}()', expected number of arguments: minimum: ${min}, maximum: ${max}`,
    );
  }
  const first = call.arguments[0];
  const source = first && sourceOf(first, scope);
  if (source !== undefined && counting.has(name)) {
    compilation.noteAccess({ kind: "read", source, level: compilation.level });
    if (definition.readsDocuments) compilation.noteAccess({ kind: "function", name });
    return (_row, run) => run.stateOf(run.collection(source)).size;
  }
  const parts = call.arguments.map((argument, at): Evaluate => {
    // DOCUMENT(collection, key) takes the collection by its name.
    if (at > 0 || source === undefined || name !== "DOCUMENT") {
      return compileExpression(argument, scope, compilation);
    }
    compilation.noteAccess({ kind: "read", source, level: compilation.level });
    return (_row, run) => run.collection(source).name;
  });
  if (definition.readsDocuments) compilation.noteAccess({ kind: "function", name });
  return (row, run) =>
    apply(
      parts.map((part) => part(row, run)),
      run,
    );
}
