import type { Range } from "../contract/adapter.ts";
import { Refusal } from "../contract/errors.ts";
import { compareKeys, keyAfter } from "../contract/key.ts";

interface CursorContent {
  /** The last key of the page before, without the scope's prefix. */
  readonly after: string;
  readonly reverse: boolean;
}

/** Opaque to users: URL-safe base 64 of a small JSON text. */
export function cursorAfter(after: string, reverse: boolean): string {
  const content: CursorContent = { after, reverse };
  const bytes = new TextEncoder().encode(JSON.stringify(content));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** The part of a range after the cursor. @throws Refusal `KV_INVALID_OPTION` */
export function resumed(range: Range, cursor: unknown, prefix: string): Range {
  const content = cursorContent(cursor);
  if (content === undefined)
    throw new Refusal("KV_INVALID_OPTION", "cursor must be one that page() returned");
  if (content.reverse !== range.reverse) {
    throw new Refusal(
      "KV_INVALID_OPTION",
      "the cursor is of a page with another value of reverse; give the same reverse",
    );
  }
  const key = prefix + content.after;
  if (range.reverse)
    return { ...range, end: range.end === undefined || compareKeys(key, range.end) < 0 ? key : range.end };
  const start = keyAfter(key);
  return { ...range, start: compareKeys(start, range.start) > 0 ? start : range.start };
}

function cursorContent(cursor: unknown): CursorContent | undefined {
  if (typeof cursor !== "string") return undefined;
  try {
    const binary = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const content: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof content !== "object" || content === null || !("after" in content) || !("reverse" in content))
      return undefined;
    const { after, reverse } = content;
    if (typeof after !== "string" || !after.isWellFormed() || typeof reverse !== "boolean") return undefined;
    return { after, reverse };
  } catch {
    return undefined;
  }
}
