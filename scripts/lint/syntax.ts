import { readFileSync } from "node:fs";
import { parseSync } from "oxc-parser";

/** The parts of a syntax node that the lints look at. */
export interface Node {
  type: string;
  start: number;
  source?: Node | null;
  argument?: Node;
  expression?: Node;
  callee?: Node;
  arguments?: Node[];
  imported?: Node;
  object?: Node;
  property?: Node;
  operator?: string;
  right?: Node;
  name?: string;
  value?: unknown;
}

/** Text that a lint has found in a file, and the line it stands in. */
export interface Found {
  readonly text: string;
  readonly line: number;
}

/** What `textOf` returns for the syntax nodes of a file, in the order of the source; `undefined` is left out. */
export function findIn(path: string, textOf: (node: Node) => string | undefined): Found[] {
  const code = readFileSync(path, "utf8");
  const found: Found[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) {
      value.forEach(visit);
      return;
    }
    const node = value as Node;
    const text = textOf(node);
    if (text !== undefined) found.push({ text, line: lineAt(code, node.start) });
    Object.values(node).forEach(visit);
  };
  visit(parseSync(path, code).program);
  return found;
}

/** The comments of a file. */
export function commentsIn(path: string): Found[] {
  const code = readFileSync(path, "utf8");
  return parseSync(path, code).comments.map(({ value, start }) => ({
    text: value,
    line: lineAt(code, start),
  }));
}

function lineAt(code: string, position: number): number {
  return code.slice(0, position).split("\n").length;
}
