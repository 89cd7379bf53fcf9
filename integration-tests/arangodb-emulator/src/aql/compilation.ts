import { ArangoError } from "../errors.ts";
import type { DataSource } from "./ast.ts";
import { bindNameOf } from "./run.ts";

/** What a query does to collections, in the order in which the server checks it: see access-check.ts. */
export type Access =
  | { readonly kind: "read"; readonly source: DataSource; readonly level: number }
  | {
      readonly kind: "write";
      readonly source: DataSource;
      readonly level: number;
      readonly isExclusive: boolean;
    }
  /** A collection where a value is wanted. */
  | { readonly kind: "operand"; readonly source: DataSource }
  | { readonly kind: "function"; readonly name: string }
  | { readonly kind: "traversal" }
  | { readonly kind: "edges"; readonly source: DataSource }
  | { readonly kind: "with"; readonly source: DataSource };

/** The names that are visible at one place, and the slots of their values. */
export class Scope {
  readonly #parent: Scope | undefined;
  readonly #slots = new Map<string, number>();

  constructor(parent?: Scope) {
    this.#parent = parent;
  }

  find(name: string): number | undefined {
    return this.#slots.get(name) ?? this.#parent?.find(name);
  }

  /** @throws ArangoError 1511 */
  declare(name: string, slot: number): void {
    if (this.find(name) !== undefined) {
      throw new ArangoError("variableRedeclared", `AQL: variable '${name}' is assigned multiple times`);
    }
    this.set(name, slot);
  }

  /** For OLD and NEW, which every modification sets again. */
  set(name: string, slot: number): void {
    this.#slots.set(name, slot);
  }
}

/** The state of compiling one query. */
export class Compilation {
  readonly accesses: Access[] = [];
  /** The names in `bindVars` that the query wants. */
  readonly parameters = new Set<string>();
  /** How many subqueries enclose the clause at hand. */
  level = 0;
  #slots = 0;
  /** The slots of the elements that the enclosing expansions are at. */
  readonly #currents: number[] = [];

  get slotCount(): number {
    return this.#slots;
  }

  newSlot(): number {
    return this.#slots++;
  }

  declare(scope: Scope, name: string): number {
    const slot = this.newSlot();
    scope.declare(name, slot);
    return slot;
  }

  noteSource(source: DataSource): void {
    if (source.kind === "collectionParameter") this.parameters.add(bindNameOf(source.name));
  }

  noteAccess(access: Access): void {
    if ("source" in access) this.noteSource(access.source);
    this.accesses.push(access);
  }

  get current(): number | undefined {
    return this.#currents.at(-1);
  }

  withCurrent<T>(slot: number, compile: () => T): T {
    this.#currents.push(slot);
    try {
      return compile();
    } finally {
      this.#currents.pop();
    }
  }
}
