import { ArangoError } from "../errors.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { type BlockFunction, compileBlock } from "./block.ts";
import { type Access, Compilation, Scope } from "./compilation.ts";
import { withinLimits } from "./limits.ts";
import { parse } from "./parser.ts";

const cacheSize = 1000;

/** A query that is ready to run with any bind values. */
export interface CompiledQuery {
  readonly run: BlockFunction;
  readonly accesses: readonly Access[];
  readonly parameters: ReadonlySet<string>;
  readonly slotCount: number;
}

const cache = new Map<string, CompiledQuery>();

/** Parses and compiles, or remembers. @throws ArangoError for whatever the text alone shows to be wrong */
export function compileQuery(text: string): CompiledQuery {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const compiled = withinLimits(() => compiledFrom(text));
  if (cache.size >= cacheSize) cache.delete(cache.keys().next().value ?? "");
  cache.set(text, compiled);
  return compiled;
}

function compiledFrom(text: string): CompiledQuery {
  const query = parse(text);
  const compilation = new Compilation();
  for (const source of query.sources) compilation.noteAccess({ kind: "with", source });
  const run = compileBlock(query.body, new Scope(), compilation);
  return {
    run,
    accesses: compilation.accesses,
    parameters: compilation.parameters,
    slotCount: compilation.slotCount,
  };
}

/** Declared and given bind parameters have to be the same. @throws ArangoError 1550, 1551, 1552 */
export function checkBinds(query: CompiledQuery, binds: Json): JsonObject {
  if (binds === null) return checkBinds(query, {});
  if (!isObject(binds)) throw new ArangoError("bindStructure");
  for (const name of query.parameters) {
    if (!Object.hasOwn(binds, name)) {
      throw new ArangoError("bindMissing", `AQL: no value specified for declared bind parameter '${name}'`);
    }
  }
  for (const name of Object.keys(binds)) {
    if (!query.parameters.has(name)) {
      throw new ArangoError("bindUndeclared", `AQL: bind parameter '${name}' was not declared in the query`);
    }
  }
  return binds;
}
