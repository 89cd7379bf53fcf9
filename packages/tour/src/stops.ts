import { rmSync } from "node:fs";
import { join } from "node:path";
import { redisStop } from "./redis-stop.ts";
import type { Stop } from "./stop.ts";

/** The embedded stores, which need no server, and Redis if the user names one. */
export function stops(directory: string, redisUrl: string | undefined): Stop[] {
  const database = join(directory, "tour.db");
  const level = join(directory, "tour.level");
  const files = join(directory, "tour.files");
  const index = join(directory, "tour.index.db");
  const far = join(directory, "tour.far.db");
  const remove = (...paths: string[]): void => {
    for (const path of paths) rmSync(path, { recursive: true, force: true });
  };
  return [
    { title: "memory", config: { adapter: "memory" }, forget: () => undefined },
    {
      title: "SQLite",
      config: { adapter: "sqlite", path: database },
      forget: () => remove(...partsOf(database)),
    },
    { title: "LevelDB", config: { adapter: "leveldb", path: level }, forget: () => remove(level) },
    {
      title: "hybrid",
      config: {
        adapter: "hybrid",
        directory: files,
        index: { adapter: "sqlite", path: index },
        inlineBelow: "1KB",
      },
      forget: () => remove(files, ...partsOf(index)),
    },
    {
      title: "tiered",
      config: { adapter: "tiered", near: { adapter: "memory" }, far: { adapter: "sqlite", path: far } },
      forget: () => remove(...partsOf(far)),
    },
    ...(redisUrl === undefined ? [] : [redisStop(redisUrl)]),
  ];
}

/** The files that SQLite makes for one database. */
function partsOf(database: string): string[] {
  return [database, `${database}-wal`, `${database}-shm`];
}

/** The path of the SQLite file. */
export function sqliteFile(directory: string): string {
  return join(directory, "tour.db");
}
