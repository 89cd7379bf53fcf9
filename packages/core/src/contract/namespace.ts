import type { Namespace } from "./adapter.ts";
import { compareKeys } from "./key.ts";

export const ROOT: Namespace = { path: [], id: "" };

/** The namespace of a path. Segments are well-formed and non-empty: the view has checked them. */
export function namespaceOf(path: readonly string[]): Namespace {
  return { path, id: path.map((segment) => `${escaped(segment)}/`).join("") };
}

/** The namespace with this id. */
export function namespaceFromId(id: string): Namespace {
  return { id, path: id.split("/").slice(0, -1).map(unescaped) };
}

function escaped(segment: string): string {
  return segment.replaceAll("~", "~0").replaceAll("/", "~1");
}

function unescaped(segment: string): string {
  return segment.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** Compares paths segment by segment; a path comes before its descendants. */
export function comparePaths(a: readonly string[], b: readonly string[]): number {
  for (const [i, segment] of a.entries()) {
    const other = b[i];
    if (other === undefined) return 1;
    const order = compareKeys(segment, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
