import type { Harness } from "@kv/conformance";
import { msgpack } from "@kv/msgpack";

/**
 * The views through which real adapters run the suite. A view changes only path and prefix, so `npm test` takes the store
 * itself and a scope inside a namespace; memory, and every adapter with KV_TEST_FULL=1, runs each view.
 */
export const views: NonNullable<Harness["views"]> = process.env["KV_TEST_FULL"] === "1" ? "each" : "nested";

/**
 * The views of an adapter in another setting (a Cluster, other files), where its main one runs each: a view changes only
 * path and prefix.
 */
export const fewer: NonNullable<Harness["views"]> = "nested";

/** Codecs beside `json` in which real adapters run the suite; memory and SQLite do so in `npm test`, too. */
export const codecs: NonNullable<Harness["codecs"]> = process.env["KV_TEST_FULL"] === "1" ? [msgpack] : [];
