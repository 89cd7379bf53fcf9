import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { MaybePromise } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";

/**
 * The value as the schema returns it, synchronously if the schema is synchronous.
 * @throws Refusal `KV_INVALID_VALUE` naming each path and the schema's message for it
 */
export function validated(schema: StandardSchemaV1, value: unknown, what: string): MaybePromise<unknown> {
  const result = schema["~standard"].validate(value);
  return isPromise(result) ? result.then((late) => outputOf(late, what)) : outputOf(result, what);
}

export function isSchema(schema: unknown): schema is StandardSchemaV1 {
  if ((typeof schema !== "object" && typeof schema !== "function") || schema === null) return false;
  try {
    return typeof (schema as Partial<StandardSchemaV1>)["~standard"]?.validate === "function";
  } catch {
    return false;
  }
}

function outputOf(result: StandardSchemaV1.Result<unknown>, what: string): unknown {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ path, message }) => `${pathOf(path)}: ${message}`);
  throw new Refusal("KV_INVALID_VALUE", `${what} does not fit the schema: ${issues.join("; ")}`, {
    cause: result.issues,
  });
}

function pathOf(path: StandardSchemaV1.Issue["path"]): string {
  return (path ?? []).reduce<string>((text, part) => {
    const key = typeof part === "object" ? part.key : part;
    return typeof key === "number" ? `${text}[${key}]` : `${text}.${String(key)}`;
  }, "$");
}
