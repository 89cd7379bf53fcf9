import { invalidOption } from "./invalid-option.ts";
import type { StoreUrl } from "./store-url.ts";

/** How the text of a query parameter becomes an option's value. */
export type Kind = "text" | "number" | "boolean";

/**
 * The options in a URL's query: `?durability=full&readOnly=true`. The adapter checks the values.
 * @throws KvError `KV_INVALID_OPTION` for an unknown option, or a value of another kind
 */
export function queryOptions(
  { scheme, query }: StoreUrl,
  known: Readonly<Record<string, Kind>>,
): Record<string, string | number | boolean> {
  const options: Record<string, string | number | boolean> = {};
  for (const [name, text] of query) {
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) {
      const list = Object.keys(known).join(", ") || "none";
      throw invalidOption(
        `unknown option ${JSON.stringify(name.slice(0, 40))} in the URL; the known ones are: ${list}`,
        scheme,
      );
    }
    options[name] = coerced(scheme, name, text, kind);
  }
  return options;
}

function coerced(scheme: string, name: string, text: string, kind: Kind): string | number | boolean {
  if (kind === "text") return text;
  if (kind === "number") {
    if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
    throw invalidOption(`the option ${name} in the URL must be a number, such as ${name}=1000`, scheme);
  }
  if (text === "true" || text === "false") return text === "true";
  throw invalidOption(`the option ${name} in the URL must be ${name}=true or ${name}=false`, scheme);
}
