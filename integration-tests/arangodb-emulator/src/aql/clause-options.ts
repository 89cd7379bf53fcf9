import { ArangoError } from "../errors.ts";
import { attributeOf, isObject, type Json, type JsonObject, objectOf } from "../json.ts";
import type { OverwriteMode, WriteOptions } from "../storage/document-writes.ts";
import type { Expression } from "./ast.ts";

/** What follows OPTIONS: it has to be a literal. @throws ArangoError 1575 for anything else, a bind value included */
export function constantOptions(options: Expression | null): JsonObject {
  if (options === null) return {};
  const value = constantOf(options);
  if (!isObject(value)) throw new ArangoError("queryParse", "AQL: 'OPTIONS' have to be an object");
  return value;
}

function constantOf(expression: Expression): Json {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "array":
      return expression.elements.map(constantOf);
    case "object":
      return objectOf(
        expression.elements.map(({ name, value }) => {
          if (typeof name !== "string") throw notConstant();
          return [name, constantOf(value)];
        }),
      );
    default:
      throw notConstant();
  }
}

function notConstant(): ArangoError {
  return new ArangoError(
    "compileTimeOptions",
    "AQL: 'OPTIONS' have to be known at query compile time: query options must be readable at query compile time",
  );
}

const overwriteModes: readonly Json[] = ["conflict", "ignore", "replace", "update"];

export interface ModificationOptions extends WriteOptions {
  readonly ignoreErrors: boolean;
  readonly exclusive: boolean;
  readonly readOwnWrites: boolean;
  readonly waitForSync: boolean;
}

export function modificationOptions(expression: Expression | null): ModificationOptions {
  const options = constantOptions(expression);
  const flag = (name: string, standard: boolean): boolean => {
    return Object.hasOwn(options, name) ? attributeOf(options, name) === true : standard;
  };
  return {
    keepNull: flag("keepNull", true),
    mergeObjects: flag("mergeObjects", true),
    ignoreRevs: flag("ignoreRevs", true),
    ignoreErrors: flag("ignoreErrors", false),
    exclusive: flag("exclusive", false),
    readOwnWrites: flag("readOwnWrites", true),
    waitForSync: flag("waitForSync", false),
    overwriteMode: overwriteModeOf(attributeOf(options, "overwriteMode"), flag("overwrite", false)),
  };
}

export function overwriteModeOf(mode: Json, overwrite: boolean): OverwriteMode {
  const isMode = (value: Json): value is OverwriteMode => overwriteModes.includes(value);
  if (isMode(mode)) return mode;
  return overwrite ? "replace" : "conflict";
}
