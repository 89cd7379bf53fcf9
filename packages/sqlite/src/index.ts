export { sqlite } from "./adapter.ts";
export type { SqliteDatabaseOptions, SqliteFileOptions, SqliteOptions } from "./options.ts";
