export { aql } from "arangojs/aql";
export { arangodb } from "./adapter.ts";
export type { Direction } from "./link-queries.ts";
export { type Links, links, type Related, type RelatedOptions } from "./links.ts";
export type { ArangodbClientOptions, ArangodbOptions, ArangodbServerOptions } from "./options.ts";
export { type QueryParts, query } from "./run-query.ts";
