import type { Codec, Middleware, Store } from "@kv/core";

/** One way in which the whole suite runs: through a view of the store, a codec or a middleware. */
export interface Variant {
  /** `""` for the root store itself, else the part after the name, as in `sqlite through a scope`. */
  readonly title: string;
  readonly wrap?: Middleware;
  /** The codec that stores write with unless a case names another one; `undefined`: the default, `json`. */
  readonly codec?: Codec;
  /** The namespace under test. */
  readonly path: readonly string[];
  /** The scope under test; `undefined`: none. */
  readonly scope?: string;
  /** The scope's keys are atomic together, even if the capability is `"partition"`. */
  readonly together?: boolean;
}

/** Characters that a backend could mistake for patterns, paths or separators. */
export const NASTY_SEGMENTS: readonly string[] = ["a/b~1", "%*?[c]\0{d}\\:_", "__proto__"];
export const NASTY_SCOPE = "s:%*?[t]/~{u}\0\\_é";

/** Which views of the store the suite runs through: see `Harness.views`. */
export type Views = "each" | "nested" | "root";

const ROOT: Variant = { title: "", path: [] };

/** The views that each choice stands for. */
export const VIEWS: Readonly<Record<Views, readonly Variant[]>> = {
  each: [
    ROOT,
    { title: "through a scope", path: [], scope: NASTY_SCOPE },
    { title: "through a namespace", path: NASTY_SEGMENTS },
  ],
  nested: [ROOT, { title: "through a scope of a namespace", path: NASTY_SEGMENTS, scope: NASTY_SCOPE }],
  root: [ROOT],
};

/** The view of a root store that a variant names. */
export function viewOf(root: Store, variant: Variant): Store {
  const namespaced = variant.path.length === 0 ? root : root.namespace(...variant.path);
  return variant.scope === undefined ? namespaced : namespaced.scope(variant.scope);
}
