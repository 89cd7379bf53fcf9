import type { Adapter, StoredEntry } from "../../contract/adapter.ts";
import { isBytes } from "../../contract/any-realm.ts";
import { utf8Length } from "../../contract/key.ts";
import { textOfJson } from "../../values/json-value.ts";

/**
 * The bytes of a payload as its codec writes it: of bytes their number, of text its length in UTF-8. It is the same for
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
