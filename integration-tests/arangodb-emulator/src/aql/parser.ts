import { readFileSync } from "node:fs";
import peggy from "peggy";
import { ArangoError } from "../errors.ts";
import type { Query } from "./ast.ts";

const grammar = new URL("grammar.peggy", import.meta.url);
// Remembering what was tried keeps nested expressions linear.
const parser = peggy.generate(readFileSync(grammar, "utf8"), { cache: true, grammarSource: "grammar.peggy" });

interface Failure {
  readonly message: string;
  /** What could have stood there; null where a grammar action has said what is wrong. */
  readonly expected: readonly unknown[] | null;
  readonly location: {
    readonly start: { readonly offset: number; readonly line: number; readonly column: number };
  };
}

/** @throws ArangoError 1501 for what is no AQL, and for AQL that the emulator does not cover; 1502 */
export function parse(text: string): Query {
  if (text.trim() === "") throw new ArangoError("queryEmpty");
  try {
    const query: Query = parser.parse(text);
    return query;
  } catch (error) {
    if (!isFailure(error)) throw error;
    const { offset, line, column } = error.location.start;
    const rest = text.slice(offset);
    const near = rest.length > 32 ? `${rest.slice(0, 32)}...` : rest;
    const what = error.expected === null ? error.message : `unexpected ${nameOf(rest)}`;
    throw new ArangoError(
      "queryParse",
      `AQL: syntax error, ${what} near '${near}' at position ${line}:${column}`,
    );
  }
}

function isFailure(error: unknown): error is Failure {
  return error instanceof Error && "location" in error && "message" in error;
}

/** What stands at the place of the failure. */
function nameOf(rest: string): string {
  const word = /^[A-Za-z_]\w*/.exec(rest)?.[0];
  if (word !== undefined) return word;
  return rest === "" ? "end of query string" : `'${rest.charAt(0)}'`;
}
