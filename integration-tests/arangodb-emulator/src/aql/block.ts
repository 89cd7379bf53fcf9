import { ArangoError } from "../errors.ts";
import type { Json } from "../json.ts";
import type { Block, Clause } from "./ast.ts";
import { constantOptions } from "./clause-options.ts";
import { compileCollect } from "./clauses/collect-clause.ts";
import { compileDistinctScan } from "./clauses/distinct-scan.ts";
import { compileFilter } from "./clauses/filter-clause.ts";
import { compileFor } from "./clauses/for-clause.ts";
import { compileLimit } from "./clauses/limit-clause.ts";
import { compileModification } from "./clauses/modification-clause.ts";
import { compileSort } from "./clauses/sort-clause.ts";
import { compileTraversal } from "./clauses/traversal-clause.ts";
import { compileUpsert } from "./clauses/upsert-clause.ts";
import { type Compilation, Scope } from "./compilation.ts";
import { compileExpression } from "./expressions/expressions.ts";
import { unique } from "./functions/array-functions.ts";
import type { Evaluate, Operator, Row, Run } from "./run.ts";

export type BlockFunction = (start: Row, run: Run) => Iterable<Json>;

const loops = new Set<Clause["kind"]>(["for", "traversal"]);
const modifications = new Set<Clause["kind"]>(["insert", "update", "replace", "remove", "upsert"]);

/** Turns a query or subquery into a function from the row that it starts with to its results. */
export function compileBlock(block: Block, outer: Scope, compilation: Compilation): BlockFunction {
  const builder = new BlockBuilder(block.clauses, outer, compilation);
  return builder.build();
}

class BlockBuilder {
  readonly #clauses: readonly Clause[];
  readonly #compilation: Compilation;
  /** What is visible before the first loop stays visible after a COLLECT. */
  readonly #main: Scope;
  readonly #operators: Operator[] = [];
  #scope: Scope;
  #loopVariables = new Map<string, number>();
  #result: Evaluate | undefined;
  #isDistinct = false;

  constructor(clauses: readonly Clause[], outer: Scope, compilation: Compilation) {
    this.#clauses = clauses;
    this.#compilation = compilation;
    this.#main = new Scope(outer);
    this.#scope = this.#main;
  }

  build(): BlockFunction {
    for (const [at, clause] of this.#clauses.entries()) this.#add(clause, at);
    const operators = this.#operators;
    const result = this.#result;
    const isDistinct = this.#isDistinct;
    return function* runBlock(start, run) {
      let rows: Iterable<Row> = [start];
      for (const operator of operators) rows = operator(rows, run, start);
      if (result === undefined) {
        for (const _row of rows);
        return;
      }
      if (!isDistinct) {
        for (const row of rows) yield result(row, run);
        return;
      }
      yield* unique(Array.from(rows, (row) => result(row, run)));
    };
  }

  #add(clause: Clause, at: number): void {
    const compilation = this.#compilation;
    const scope = this.#scope;
    switch (clause.kind) {
      case "for": {
        const inside = new Scope(scope);
        const isOutermost = this.#isFirstLoop(at);
        const loop = compileFor(clause, scope, inside, compilation, {
          following: this.#clauses.slice(at + 1),
          isOutermost,
        });
        const slot = inside.find(clause.variable)!;
        const distinct = isOutermost
          ? compileDistinctScan(clause, this.#clauses[at + 1], scope, slot)
          : undefined;
        this.#enter(inside, [clause.variable]);
        this.#operators.push(distinct === undefined ? loop : distinct(loop));
        return;
      }
      case "traversal": {
        const inside = new Scope(scope);
        this.#operators.push(compileTraversal(clause, scope, inside, compilation));
        this.#enter(inside, clause.variables);
        return;
      }
      case "filter":
        this.#operators.push(compileFilter(clause.condition, scope, compilation));
        return;
      case "let":
        for (const { name, value } of clause.assignments) {
          const evaluate = compileExpression(value, scope, compilation);
          const slot = compilation.declare(scope, name);
          if (scope !== this.#main) this.#loopVariables.set(name, slot);
          this.#operators.push(assign(slot, evaluate));
        }
        return;
      case "sort":
        this.#operators.push(compileSort(clause, clause.elements, scope, compilation));
        return;
      case "limit": {
        const before = this.#clauses.slice(0, at);
        const isLast =
          compilation.level === 0 && !this.#clauses.slice(at + 1).some(({ kind }) => kind === "limit");
        const takesAll = before.some(({ kind }) => modifications.has(kind));
        this.#operators.push(compileLimit(clause, compilation, { takesAll, isLast }));
        return;
      }
      case "collect": {
        constantOptions(clause.options);
        const after = new Scope(this.#main);
        this.#operators.push(compileCollect(clause, scope, after, this.#loopVariables, compilation));
        this.#scope = after;
        this.#loopVariables = new Map();
        return;
      }
      case "upsert":
        this.#operators.push(compileUpsert(clause, scope, compilation));
        return;
      case "return":
        if (clause.isDistinct && !this.#clauses.some(({ kind }) => loops.has(kind))) {
          throw new ArangoError(
            "queryParse",
            "AQL: syntax error, cannot use DISTINCT modifier on top-level query element near 'DISTINCT'",
          );
        }
        this.#isDistinct = clause.isDistinct;
        this.#result = compileExpression(clause.value, scope, compilation);
        return;
      default:
        this.#operators.push(compileModification(clause, scope, compilation));
    }
  }

  #isFirstLoop(at: number): boolean {
    return !this.#clauses.slice(0, at).some(({ kind }) => loops.has(kind));
  }

  #enter(inside: Scope, names: readonly string[]): void {
    this.#scope = inside;
    for (const name of names) {
      const slot = inside.find(name);
      if (slot !== undefined) this.#loopVariables.set(name, slot);
    }
  }
}

/** In place: every loop makes rows of its own. */
function assign(slot: number, evaluate: Evaluate): Operator {
  return function* assignVariable(rows, run) {
    for (const row of rows) {
      row[slot] = evaluate(row, run);
      yield row;
    }
  };
}
