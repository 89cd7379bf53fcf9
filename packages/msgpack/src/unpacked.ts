import { MAP_MARK, MARK_BYTE } from "./packable.ts";

/**
 * Undoes the changes of `packable`. Bytes without the mark contain no Map, so the value is not searched. `value` is
 * changed in place.
 */
export function unpacked(value: unknown, bytes: Uint8Array): unknown {
  return bytes.includes(MARK_BYTE) ? restored(value) : value;
}

function restored(value: unknown): unknown {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value[0] === MAP_MARK ? mapOf(value) : inPlace(value);
  if (value instanceof Set) return setOf(value);
  return Object.getPrototypeOf(value) === Object.prototype ? inPlace(value) : value;
}

function mapOf(items: readonly unknown[]): Map<unknown, unknown> {
  if (items.length % 2 === 0) throw new TypeError("a Map has a key without a value");
  const map = new Map<unknown, unknown>();
  for (let i = 1; i < items.length; i += 2) map.set(restored(items[i]), restored(items[i + 1]));
  return map;
}

function setOf(set: ReadonlySet<unknown>): Set<unknown> {
  return new Set(Array.from(set, restored));
}

function inPlace<T extends object>(value: T): T {
  const owner = value as Record<string, unknown>;
  for (const name of Object.keys(owner)) {
    const item = owner[name];
    const made = restored(item);
    if (made !== item) owner[name] = made;
  }
  return value;
}
