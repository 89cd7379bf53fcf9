export { sqlite } from "./adapter.ts";
export { type BackupOptions, type BackupProgress, type BackupReport, backup } from "./backup/backup.ts";
export type { SqliteDatabaseOptions, SqliteFileOptions, SqliteOptions } from "./options.ts";
