import type { Payload } from "../contract/adapter.ts";

/**
 * The sum of a stored number and `by`, for adapters' increments. `payload` is a number or its JSON text (of an entry
 * with the encoding `"json"`), or `undefined` for an absent entry, which counts as 0. Returns `undefined` if the
 * payload is not a number, or if the sum is not finite or cannot be represented exactly (integers beyond 2^53).
 */
export function addToNumber(payload: Payload, by: number): number | undefined {
  const before = payload === undefined ? 0 : numberOf(payload);
  if (before === undefined) return undefined;
  const sum = before + by;
  if (Number.isInteger(before) && Number.isInteger(by) && !Number.isSafeInteger(sum)) return undefined;
  // -0 is not a JSON value; the sum of two zeros is 0.
  return Number.isFinite(sum) ? sum + 0 : undefined;
}

/** The number in a payload of the encoding `"json"`, stored as itself or as its text; `undefined` for any other payload. */
export function numberOf(payload: Payload): number | undefined {
  const number = typeof payload === "string" ? parsed(payload) : payload;
  return typeof number === "number" ? number : undefined;
}

/** Only the JSON text of a number begins with a digit or a minus sign. */
function parsed(text: string): number | undefined {
  const first = text.charCodeAt(0);
  if (first !== 0x2d && !(first >= 0x30 && first <= 0x39)) return undefined;
  const number = Number(text);
  return Number.isNaN(number) ? undefined : number;
}
