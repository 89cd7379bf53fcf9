import { ArangoError } from "../../errors.ts";
import { attributeOf, isArray, isObject, type Json, objectOf } from "../../json.ts";
import type { Binary, DataSource, Expression, ObjectElement } from "../ast.ts";
import { compileBlock } from "../block.ts";
import type { Compilation, Scope } from "../compilation.ts";
import type { Evaluate } from "../run.ts";
import { arithmetic, finite } from "./arithmetic.ts";
import { compileCall } from "./calls.ts";
import { maxRange, toBool, toNumber, toText } from "./cast.ts";
import { comparison } from "./comparison.ts";
import { compileExpansion } from "./expansion.ts";

/** Turns an expression into a function of the row. @throws ArangoError 1540, 1541, 1511 */
export function compileExpression(expression: Expression, scope: Scope, compilation: Compilation): Evaluate {
  const compile = (part: Expression): Evaluate => compileExpression(part, scope, compilation);
  switch (expression.kind) {
    case "literal": {
      const { value } = expression;
      return () => value;
    }
    case "reference":
    case "collectionParameter":
      return compileName(expression, scope, compilation);
    case "current": {
      const slot = compilation.current;
      if (slot === undefined) throw new ArangoError("variableUnknown", "AQL: unknown variable 'CURRENT'");
      return (row) => row[slot] ?? null;
    }
    case "parameter": {
      const { name } = expression;
      compilation.parameters.add(name);
      return (_row, run) => run.bind(name);
    }
    case "array": {
      const elements = expression.elements.map(compile);
      return (row, run) => elements.map((element) => element(row, run));
    }
    case "object":
      return compileObject(expression.elements, compile);
    case "attribute": {
      const of = compile(expression.of);
      const { name } = expression;
      return (row, run) => attributeOf(of(row, run), name);
    }
    case "boundAttribute": {
      const of = compile(expression.of);
      const { parameter } = expression;
      compilation.parameters.add(parameter);
      return (row, run) => boundAttributeOf(of(row, run), run.bind(parameter), parameter);
    }
    case "index": {
      const of = compile(expression.of);
      const index = compile(expression.index);
      return (row, run) => elementOf(of(row, run), index(row, run));
    }
    case "expansion":
      return compileExpansion(expression, scope, compilation);
    case "unary":
      return compileUnary(expression.operator, compile(expression.operand));
    case "binary":
      return compileBinary(expression, compile);
    case "quantified": {
      const { quantifier } = expression;
      const compare = comparison(expression.operator)!;
      const left = compile(expression.left);
      const right = compile(expression.right);
      return (row, run) => {
        const members = left(row, run);
        const value = right(row, run);
        if (!isArray(members)) return false;
        const holds = (member: Json): boolean => compare(member, value, run.order);
        if (quantifier === "ALL") return members.every(holds);
        return quantifier === "ANY" ? members.some(holds) : !members.some(holds);
      };
    }
    case "ternary": {
      const condition = compile(expression.condition);
      const then = expression.then === null ? condition : compile(expression.then);
      const otherwise = compile(expression.otherwise);
      return (row, run) => (toBool(condition(row, run)) ? then : otherwise)(row, run);
    }
    case "range": {
      const from = compile(expression.from);
      const to = compile(expression.to);
      return (row, run) => rangeOf(Math.trunc(toNumber(from(row, run))), Math.trunc(toNumber(to(row, run))));
    }
    case "call":
      return compileCall(expression, scope, compilation);
    case "subquery": {
      compilation.level++;
      const block = compileBlock(expression.block, scope, compilation);
      compilation.level--;
      return (row, run) => [...block(row.slice(), run)];
    }
    case "grouped":
      return compile(expression.expression);
  }
}

/** The collection that an expression names, where it is one and no variable. */
export function sourceOf(expression: Expression, scope: Scope): DataSource | undefined {
  if (expression.kind === "collectionParameter")
    return { kind: "collectionParameter", name: expression.name };
  if (expression.kind !== "reference" || scope.find(expression.name) !== undefined) return undefined;
  return { kind: "collection", name: expression.name };
}

function compileName(
  expression: Extract<Expression, { kind: "reference" | "collectionParameter" }>,
  scope: Scope,
  compilation: Compilation,
): Evaluate {
  const { name } = expression;
  const slot = expression.kind === "reference" ? scope.find(name) : undefined;
  if (slot !== undefined) return (row) => row[slot] ?? null;
  const current = compilation.current;
  if (
    expression.kind === "reference" &&
    (name === "CURRENT" || name === "$CURRENT") &&
    current !== undefined
  ) {
    return (row) => row[current] ?? null;
  }
  const source = sourceOf(expression, scope);
  if (source !== undefined) compilation.noteAccess({ kind: "operand", source });
  return () => null;
}

function compileObject(
  elements: readonly ObjectElement[],
  compile: (expression: Expression) => Evaluate,
): Evaluate {
  const parts = elements.map(({ name, value }) => ({
    name: typeof name === "string" ? name : undefined,
    computed: typeof name === "string" ? undefined : compile(name),
    value: compile(value),
  }));
  return (row, run) =>
    objectOf(
      parts.map(({ name, computed, value }) => [
        name ?? toText(computed === undefined ? null : computed(row, run)),
        value(row, run),
      ]),
    );
}

function compileUnary(operator: "!" | "-" | "+", operand: Evaluate): Evaluate {
  switch (operator) {
    case "!":
      return (row, run) => !toBool(operand(row, run));
    case "-":
      return (row, run) => finite(-toNumber(operand(row, run)), run);
    case "+":
      return (row, run) => finite(toNumber(operand(row, run)), run);
  }
}

function compileBinary({ operator, left, right }: Binary, compile: (part: Expression) => Evaluate): Evaluate {
  const first = compile(left);
  const second = compile(right);
  // The logical operators answer with one of their operands.
  if (operator === "&&" || operator === "||") {
    const isAnd = operator === "&&";
    return (row, run) => {
      const value = first(row, run);
      return toBool(value) === isAnd ? second(row, run) : value;
    };
  }
  const compute = arithmetic(operator);
  if (compute !== undefined) return (row, run) => compute(first(row, run), second(row, run), run);
  const compare = comparison(operator)!;
  return (row, run) => compare(first(row, run), second(row, run), run.order);
}

/** `of.@parameter`: a name, or a path of names. */
function boundAttributeOf(of: Json, path: Json, parameter: string): Json {
  if (typeof path === "string") return attributeOf(of, path);
  if (isArray(path)) return path.reduce<Json>((value, name) => attributeOf(value, toText(name)), of);
  throw new ArangoError("bindType", `bind parameter '${parameter}' has an invalid value or type`);
}

function elementOf(of: Json, index: Json): Json {
  if (isArray(of)) {
    if (typeof index !== "number" && typeof index !== "string") return null;
    return of.at(Math.trunc(toNumber(index))) ?? null;
  }
  if (isObject(of) && (typeof index === "string" || typeof index === "number")) {
    return attributeOf(of, toText(index));
  }
  return null;
}

function rangeOf(from: number, to: number): Json {
  const length = Math.abs(to - from) + 1;
  if (length > maxRange) throw new ArangoError("numberOutOfRange", "AQL: too many elements in range");
  const step = to >= from ? 1 : -1;
  return Array.from({ length }, (_, at) => from + at * step);
}
