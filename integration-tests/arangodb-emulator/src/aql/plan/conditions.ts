import type { Json } from "../../json.ts";
import type { Clause, Expression } from "../ast.ts";
import type { Compilation, Scope } from "../compilation.ts";
import { compileExpression } from "../expressions/expressions.ts";
import { functions } from "../functions/functions.ts";
import type { Evaluate, Run } from "../run.ts";

/** An attribute of the loop's document: names, or bind parameters that hold them. */
export type Path = readonly (string | { readonly parameter: string })[];

export type Relation = "==" | "<" | "<=" | ">" | ">=" | "IN";

/** `document.path relation value`, where the value is known before the document is. */
export interface Condition {
  readonly path: Path;
  readonly relation: Relation;
  readonly value: Evaluate;
  /** The expression in the FILTER: what an index has decided is not asked again. */
  readonly expression: Expression;
}

const flipped: Readonly<Record<string, Relation>> = {
  "==": "==",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};
const relations: ReadonlySet<string> = new Set(["==", "<", "<=", ">", ">=", "IN"]);

/** What `a && b && c` holds together. */
export function conjuncts(expression: Expression): Expression[] {
  if (expression.kind !== "binary" || expression.operator !== "&&") return [expression];
  return [...conjuncts(expression.left), ...conjuncts(expression.right)];
}

/** The conditions on the documents of a loop in an expression that has to hold. */
export function conditionsOf(
  expression: Expression,
  variable: string,
  before: Scope,
  compilation: Compilation,
): Condition[] {
  return conjuncts(expression).flatMap((conjunct): Condition[] => {
    if (conjunct.kind !== "binary") return [];
    const { operator, left, right } = conjunct;
    const make = (on: Expression, value: Expression, relation: Relation | undefined): Condition[] => {
      const path = pathOf(on, variable);
      if (path === undefined || relation === undefined || !isKnown(value, before)) return [];
      for (const step of path) if (typeof step !== "string") compilation.parameters.add(step.parameter);
      return [{ path, relation, value: compileExpression(value, before, compilation), expression: conjunct }];
    };
    const direct = relations.has(operator) ? make(left, right, operator as Relation) : [];
    return direct.length > 0 ? direct : make(right, left, flipped[operator]);
  });
}

/** Of the FILTERs that directly follow a loop: LETs between them do no harm. */
export function conditionsAfter(
  clauses: readonly Clause[],
  variable: string,
  before: Scope,
  compilation: Compilation,
): Condition[] {
  const found: Condition[] = [];
  for (const clause of clauses) {
    if (clause.kind === "filter")
      found.push(...conditionsOf(clause.condition, variable, before, compilation));
    else if (clause.kind !== "let") break;
  }
  return found;
}

export function pathOf(expression: Expression, variable: string): Path | undefined {
  const path: (string | { parameter: string })[] = [];
  let at = expression;
  for (;;) {
    switch (at.kind) {
      case "attribute":
        path.unshift(at.name);
        at = at.of;
        continue;
      case "boundAttribute":
        path.unshift({ parameter: at.parameter });
        at = at.of;
        continue;
      case "index":
        if (at.index.kind !== "literal" || typeof at.index.value !== "string") return undefined;
        path.unshift(at.index.value);
        at = at.of;
        continue;
      case "reference":
        return at.name === variable && path.length > 0 ? path : undefined;
      default:
        return undefined;
    }
  }
}

/** The names of a path joined by dots, as indexes write it; undefined where it can't be written so. */
export function resolvePath(path: Path, run: Run): string | undefined {
  const names = path.map((step) => (typeof step === "string" ? step : run.bind(step.parameter)));
  return joinPath(names);
}

export function joinPath(names: readonly Json[]): string | undefined {
  // A dot in a name is not one between names.
  const isPath = (all: readonly Json[]): all is readonly string[] =>
    all.every((name) => typeof name === "string" && name !== "" && !name.includes("."));
  return isPath(names) ? names.join(".") : undefined;
}

/** Whether an expression has one value for the whole loop. */
function isKnown(expression: Expression, before: Scope): boolean {
  const known = (part: Expression): boolean => isKnown(part, before);
  switch (expression.kind) {
    case "literal":
    case "parameter":
      return true;
    case "reference":
      return before.find(expression.name) !== undefined;
    case "array":
      return expression.elements.every(known);
    case "object":
      return expression.elements.every(
        ({ name, value }) => (typeof name === "string" || known(name)) && known(value),
      );
    case "attribute":
    case "boundAttribute":
      return known(expression.of);
    case "index":
      return known(expression.of) && known(expression.index);
    case "unary":
      return known(expression.operand);
    case "binary":
    case "quantified":
      return known(expression.left) && known(expression.right);
    case "ternary":
      return (
        known(expression.condition) &&
        (expression.then === null || known(expression.then)) &&
        known(expression.otherwise)
      );
    case "range":
      return known(expression.from) && known(expression.to);
    case "call": {
      const definition = functions.get(expression.name);
      return (
        definition?.isDeterministic === true &&
        !definition.readsDocuments &&
        expression.arguments.every(known)
      );
    }
    case "grouped":
      return known(expression.expression);
    default:
      return false;
  }
}
