import type { Adapter, StoredEntry } from "../../contract/adapter.ts";
import { isBytes } from "../../contract/any-realm.ts";
import { utf8Length } from "../../contract/key.ts";
import { textOfJson } from "../../values/json-value.ts";

/**
 * The size of a payload as its codec writes it: the number of bytes, or the UTF-8 length of text. It is the same for
 * adapters of both forms: a JSON value counts as its JSON text.
 */
export function payloadSize(
  { payload, encoding }: Pick<StoredEntry, "payload" | "encoding">,
  form: Adapter["form"],
): number {
  if (isBytes(payload)) return payload.byteLength;
  const isText = typeof payload === "string" && (form === "text" || encoding !== "json");
  return utf8Length(isText ? payload : textOfJson(payload));
}
