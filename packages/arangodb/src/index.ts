export { aql } from "arangojs/aql";
export { arangodb } from "./adapter.ts";
export type { Direction } from "./links/link-queries.ts";
export { type Links, links, type Related, type RelatedOptions } from "./native/links.ts";
export { type QueryParts, query } from "./native/run-query.ts";
export type { ArangodbClientOptions, ArangodbOptions, ArangodbServerOptions } from "./options.ts";
