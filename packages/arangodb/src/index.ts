export { arangodb } from "./adapter.ts";
export type { ArangodbClientOptions, ArangodbOptions, ArangodbServerOptions } from "./options.ts";
