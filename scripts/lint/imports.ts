import { type Found, findIn, type Node } from "./syntax.ts";

/** The modules that a file names: imports, re-exports, `import()`, `import("…").Type`, `require`. */
export function importsOf(path: string): Found[] {
  return findIn(path, (node) => {
    const value = moduleOf(node)?.value;
    return typeof value === "string" ? value : undefined;
  });
}

function moduleOf(node: Node): Node | null | undefined {
  if (/^(Import|Export|TSImport)/.test(node.type)) return node.source ?? node.argument;
  if (node.type === "TSExternalModuleReference") return node.expression;
  if (node.type === "CallExpression" && node.callee?.name === "require") return node.arguments?.[0];
  return undefined;
}
