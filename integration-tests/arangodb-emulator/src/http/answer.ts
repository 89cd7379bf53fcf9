import type { Json, JsonObject } from "../json.ts";

export interface Answer {
  readonly status: number;
  /** Absent: an answer without a body. */
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An object with `error` and `code` beside its fields, as most paths answer. */
export function success(status: number, fields: JsonObject = {}): Answer {
  return { status, body: { error: false, code: status, ...fields } };
}
