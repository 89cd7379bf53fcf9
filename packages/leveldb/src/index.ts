export { leveldb } from "./adapter.ts";
export type { LevelDatabase, LeveldbDatabaseOptions, LeveldbOptions, LeveldbPathOptions } from "./options.ts";
