import { isArray, type Json } from "../../json.ts";

/** The server makes no longer ranges. */
export const maxRange = 10_000_000;

/** null, false, 0 and "" are false; every array and every object is true. */
export function toBool(value: Json): boolean {
  return value !== null && value !== false && value !== 0 && value !== "";
}

export function toNumber(value: Json): number {
  switch (typeof value) {
    case "number":
      return value;
    case "boolean":
      return value ? 1 : 0;
    case "string":
      return parseNumber(value);
    default:
      return value !== null && isArray(value) && value.length === 1 ? toNumber(value[0] ?? null) : 0;
  }
}

function parseNumber(text: string): number {
  const trimmed = text.trim();
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed) ? Number(trimmed) : 0;
}

export function toText(value: Json): string {
  if (typeof value === "string") return value;
  return value === null ? "" : JSON.stringify(value);
}

export function toArray(value: Json): readonly Json[] {
  if (value === null) return [];
  if (isArray(value)) return value;
  return typeof value === "object" ? Object.values(value) : [value];
}

export function typeName(value: Json): string {
  if (value === null) return "null";
  if (isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}
