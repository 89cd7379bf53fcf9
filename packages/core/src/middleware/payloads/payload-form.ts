import type { Adapter } from "../../contract/adapter.ts";
import { textOfJson } from "../../values/json-value.ts";
import { corrupt, type Transformation, transformed, unreadable, withContent } from "./transformation.ts";

/** The adapter with payloads of the given form, whichever form it takes itself. */
export function asForm(inner: Adapter, form: Adapter["form"]): Adapter {
  if (inner.form === form) return inner;
  return Object.assign(transformed(inner, form === "text" ? TEXT_OVER_VALUES : VALUES_OVER_TEXT), { form });
}

const TEXT_OVER_VALUES: Transformation = {
  encode: (_, mutation) =>
    mutation.encoding === "json" ? { ...mutation, payload: JSON.parse(String(mutation.payload)) } : mutation,
  decode: (_, entry) =>
    entry.encoding === "json"
      ? withContent(entry, { payload: textOfJson(entry.payload), encoding: "json", user: entry.user })
      : entry,
};

const VALUES_OVER_TEXT: Transformation = {
  encode: (_, mutation) =>
    mutation.encoding === "json" ? { ...mutation, payload: textOfJson(mutation.payload) } : mutation,
  decode(_, entry) {
    if (entry.encoding !== "json") return entry;
    try {
      const payload: unknown = JSON.parse(String(entry.payload));
      return withContent(entry, { payload, encoding: "json", user: entry.user });
    } catch (error) {
      return unreadable(entry, corrupt("the stored payload is not JSON; delete or rewrite the entry", error));
    }
  },
};
