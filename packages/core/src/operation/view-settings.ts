import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Connection } from "../connection/connection.ts";
import type { Namespace } from "../contract/adapter.ts";
import { Refusal } from "../contract/errors.ts";
import { keyFault } from "../contract/key.ts";
import { namespaceOf } from "../contract/namespace.ts";
import { shown } from "../contract/shown.ts";
import type { OnCorrupt } from "../contract/store.ts";
import type { Lanes } from "../order/lanes.ts";
import type { Codecs } from "../values/codec.ts";
import { isSchema } from "../values/schema.ts";

/** What one view is a view of. */
export interface ViewSettings {
  readonly connection: Connection;
  readonly lanes: Lanes;
  readonly codecs: Codecs;
  readonly namespace: Namespace;
  /** Prepended to every key of this view; `""`, or text ending in a colon. */
  readonly prefix: string;
  /** Milliseconds. */
  readonly defaultTtl: number | undefined;
  readonly onCorrupt: OnCorrupt;
  readonly readOnly: boolean;
  readonly schema: StandardSchemaV1 | undefined;
  /** Why every operation of this view is refused: it was made with an invalid prefix, path or schema. */
  readonly fault: Refusal | undefined;
}

/** The settings of the namespace at `path` below a view's own. */
export function inNamespace(settings: ViewSettings, path: readonly string[]): ViewSettings {
  const bad = path.findIndex(
    (segment) => typeof segment !== "string" || segment === "" || !segment.isWellFormed(),
  );
  if (bad === -1) {
    return { ...settings, namespace: namespaceOf([...settings.namespace.path, ...path]), prefix: "" };
  }
  const segment: unknown = path[bad];
  const text = typeof segment === "string" ? JSON.stringify(segment) : shown(segment);
  const message = `the namespace segment ${text} must be a non-empty, well-formed string`;
  return refusedBy(settings, new Refusal("KV_INVALID_KEY", message));
}

/** The settings of the scope `prefix` within a view. */
export function inScope(settings: ViewSettings, prefix: string): ViewSettings {
  const fault = keyFault(prefix, settings.prefix);
  if (fault === undefined) return { ...settings, prefix: `${settings.prefix}${prefix}:` };
  return refusedBy(settings, new Refusal("KV_INVALID_KEY", `the scope prefix is invalid: ${fault.message}`));
}

/** The settings of a view that validates with `schema`, or with none. */
export function withSchema(settings: ViewSettings, schema: StandardSchemaV1 | undefined): ViewSettings {
  if (schema === undefined || isSchema(schema)) return { ...settings, schema };
  const message = "typed needs a Standard Schema (zod, valibot, arktype, …) or nothing";
  return refusedBy(settings, new Refusal("KV_INVALID_OPTION", message));
}

/** The first fault stays: later ones follow from it. */
function refusedBy(settings: ViewSettings, fault: Refusal): ViewSettings {
  return { ...settings, fault: settings.fault ?? fault };
}
