import { ArangoError } from "../../errors.ts";
import { attributeOf, type Document, isArray, type Json, type JsonObject, textOf } from "../../json.ts";
import { splitId } from "../../storage/names.ts";
import type { DataSource, Direction, TraversalClause } from "../ast.ts";
import { constantOptions } from "../clause-options.ts";
import type { Compilation, Scope } from "../compilation.ts";
import { toBool, toNumber } from "../expressions/cast.ts";
import { compileExpression } from "../expressions/expressions.ts";
import type { Evaluate, Operator, Row, Run } from "../run.ts";

interface Path {
  readonly vertices: readonly string[];
  readonly edges: readonly Document[];
}

interface TraversalOptions {
  readonly isBreadthFirst: boolean;
  readonly uniqueVertices: "none" | "path" | "global";
  readonly uniqueEdges: "none" | "path";
}

interface EdgeSource {
  readonly source: DataSource;
  readonly direction: Direction;
}

export function compileTraversal(
  clause: TraversalClause,
  before: Scope,
  inside: Scope,
  compilation: Compilation,
): Operator {
  const options = traversalOptions(constantOptions(clause.options));
  const start = compileExpression(clause.start, before, compilation);
  const depth = clause.depth && compileExpression(clause.depth, before, compilation);
  for (const { source } of clause.edges) compilation.noteAccess({ kind: "edges", source });
  compilation.noteAccess({ kind: "traversal" });
  const slots = clause.variables.map((name) => compilation.declare(inside, name));
  const prune = clause.prune && compileExpression(clause.prune, inside, compilation);
  const edges = clause.edges.map(({ source, direction }) => ({
    source,
    direction: direction ?? clause.direction,
  }));
  return function* traverse(rows, run) {
    for (const row of rows) {
      const [min, max] = depthsOf(depth, row, run);
      const from = startOf(start(row, run), run);
      if (from === undefined) continue;
      const place = (path: Path): Row => {
        const copy = row.slice();
        const [vertex, edge, whole] = slots;
        if (vertex !== undefined) copy[vertex] = vertexOf(path.vertices.at(-1)!, run);
        if (edge !== undefined) copy[edge] = path.edges.at(-1) ?? null;
        if (whole !== undefined) {
          copy[whole] = { edges: path.edges, vertices: path.vertices.map((id) => vertexOf(id, run)) };
        }
        return copy;
      };
      const stops = (path: Path): boolean => prune !== null && toBool(prune(place(path), run));
      for (const path of paths(from, max, options, (id) => connected(id, edges, run), stops)) {
        if (path.edges.length >= min) yield place(path);
      }
    }
  };
}

/** @throws ArangoError 10 for a combination that the server refuses, 1501 for an order that the emulator does not have */
function traversalOptions(options: JsonObject): TraversalOptions {
  const order = attributeOf(options, "order") ?? (attributeOf(options, "bfs") === true ? "bfs" : "dfs");
  if (order !== "bfs" && order !== "dfs") {
    throw new ArangoError(
      "queryParse",
      `AQL: traversal order ${JSON.stringify(order)} is not covered by this emulator`,
    );
  }
  const vertices = attributeOf(options, "uniqueVertices") ?? "none";
  const edges = attributeOf(options, "uniqueEdges") ?? "path";
  if (vertices !== "none" && vertices !== "path" && vertices !== "global") {
    throw new ArangoError("badParameter", "uniqueVertices only supports: 'none', 'path', 'global'");
  }
  if (edges !== "none" && edges !== "path") {
    throw new ArangoError("badParameter", "uniqueEdges only supports: 'none', 'path'");
  }
  if (vertices === "global" && order !== "bfs") {
    throw new ArangoError(
      "badParameter",
      "uniqueVertices: 'global' is only supported, with mode: bfs due to otherwise unpredictable results.",
    );
  }
  return { isBreadthFirst: order === "bfs", uniqueVertices: vertices, uniqueEdges: edges };
}

function depthsOf(depth: Evaluate | null, row: Row, run: Run): [number, number] {
  if (depth === null) return [1, 1];
  const value = depth(row, run);
  const [min, max] = isArray(value) ? [value[0] ?? null, value.at(-1) ?? null] : [value, value];
  const range: [number, number] = [toNumber(min), toNumber(max)];
  if (range[0] < 0 || range[1] < range[0]) {
    throw new ArangoError("queryParse", "AQL: invalid traversal depth");
  }
  return range;
}

/** The id of the start vertex. What is none leads nowhere, with a warning. */
function startOf(value: Json, run: Run): string | undefined {
  const id = typeof value === "string" ? value : textOf(value, "_id");
  if (splitId(id) !== undefined) return id;
  run.warn("badParameter", "Only id strings or objects with _id are allowed");
  return undefined;
}

/** Edges may point to what isn't there: that vertex is null. */
function vertexOf(id: string, run: Run): Json {
  const parts = splitId(id);
  const collection = parts && run.database.find(parts.collection);
  const vertex = parts && collection && run.stateOf(collection).get(parts.key);
  if (vertex === undefined) run.warn("documentNotFound", `document not found: ${id}`);
  return vertex ?? null;
}

/** The edges at a vertex, each with the vertex at its other end. */
function connected(id: string, sources: readonly EdgeSource[], run: Run): { edge: Document; to: string }[] {
  const seen = new Set<string>();
  return sources.flatMap(({ source, direction }) => {
    const [outgoing, incoming] = run.stateOf(run.collection(source)).indexes;
    const bound = (after: boolean) => ({ values: [id], after });
    const ways: { edge: Document; to: string }[] = [];
    if (direction !== "inbound" && outgoing !== undefined) {
      for (const edge of outgoing.range(bound(false), bound(true), false))
        ways.push({ edge, to: textOf(edge, "_to") });
    }
    if (direction !== "outbound" && incoming !== undefined) {
      for (const edge of incoming.range(bound(false), bound(true), false))
        ways.push({ edge, to: textOf(edge, "_from") });
    }
    return ways.filter(({ edge }) => {
      const name = textOf(edge, "_id");
      if (seen.has(name)) return false;
      seen.add(name);
      return true;
    });
  });
}

function* paths(
  start: string,
  max: number,
  options: TraversalOptions,
  neighbours: (id: string) => { edge: Document; to: string }[],
  stops: (path: Path) => boolean,
): Generator<Path, void> {
  const visited = new Set([start]);
  const open: Path[] = [{ vertices: [start], edges: [] }];
  for (let at = 0; at < open.length || !options.isBreadthFirst; ) {
    const path = options.isBreadthFirst ? open[at++] : open.pop();
    if (path === undefined) return;
    yield path;
    if (path.edges.length >= max || stops(path)) continue;
    const next: Path[] = [];
    for (const { edge, to } of neighbours(path.vertices.at(-1)!)) {
      if (options.uniqueEdges === "path" && path.edges.includes(edge)) continue;
      if (options.uniqueVertices === "path" && path.vertices.includes(to)) continue;
      if (options.uniqueVertices === "global") {
        if (visited.has(to)) continue;
        visited.add(to);
      }
      next.push({ vertices: [...path.vertices, to], edges: [...path.edges, edge] });
    }
    open.push(...(options.isBreadthFirst ? next : next.reverse()));
  }
}
