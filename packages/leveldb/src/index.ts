export { leveldb } from "./adapter.ts";
export { type BackupOptions, type BackupProgress, type BackupReport, backup } from "./backup/backup.ts";
export type {
  LevelBatch,
  LevelDatabase,
  LevelEncodings,
  LevelIterator,
  LevelIteratorOptions,
  LevelSnapshot,
} from "./level-database.ts";
export type { LeveldbDatabaseOptions, LeveldbOptions, LeveldbPathOptions } from "./options.ts";
