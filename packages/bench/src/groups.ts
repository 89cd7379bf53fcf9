import { betterSqlite } from "./contenders/bare/better-sqlite3.ts";
import { classicLevel } from "./contenders/bare/classic-level.ts";
import { copiedFile } from "./contenders/bare/copied-file.ts";
import { ioredis } from "./contenders/bare/ioredis.ts";
import { ioredisBytes } from "./contenders/bare/ioredis-bytes.ts";
import { ioredisPipelining } from "./contenders/bare/ioredis-pipelining.ts";
import { plainMap } from "./contenders/bare/plain-map.ts";
import { cacheManagerMemory } from "./contenders/cache-manager-memory.ts";
import { keyvLevel } from "./contenders/keyv/keyv-level.ts";
import { keyvMemory } from "./contenders/keyv/keyv-memory.ts";
import { keyvRedis } from "./contenders/keyv/keyv-redis.ts";
import { keyvSqlite } from "./contenders/keyv/keyv-sqlite.ts";
import { kvJson, kvMsgpack, kvStructured } from "./contenders/kv/kv-codecs.ts";
import { kvHybrid } from "./contenders/kv/kv-hybrid.ts";
import { kvLeveldb } from "./contenders/kv/kv-leveldb.ts";
import { kvMemory } from "./contenders/kv/kv-memory.ts";
import { kvRedis } from "./contenders/kv/kv-redis.ts";
import { kvSqlite } from "./contenders/kv/kv-sqlite.ts";
import { kvBehind, kvThrough } from "./contenders/kv/kv-tiered.ts";
import { unstorageMemory } from "./contenders/unstorage/unstorage-memory.ts";
import { unstorageRedis } from "./contenders/unstorage/unstorage-redis.ts";
import { unstorageSqlite } from "./contenders/unstorage/unstorage-sqlite.ts";
import type { Backend, NoBackend } from "./servers/backend.ts";
import { redisBackend } from "./servers/redis-backend.ts";
import { type Cell, cells } from "./workload/cells.ts";
import type { Contender } from "./workload/contender.ts";

/** Contenders that do the same work over the same backend. Exactly one of them is ours. */
export interface Group {
  readonly name: string;
  readonly title: string;
  readonly contenders: readonly Contender[];
  /** The contender that the targets are relative to. */
  readonly baseline: Contender;
  /** Whether entries are in the heap of this process, so that bytes per entry can be measured. */
  readonly inHeap: boolean;
  /** The measures taken for equal terms. */
  readonly terms: string;
  /** The names of the cells that are measured. Default: all that every store can do. */
  readonly cells?: readonly string[];
  /** Whether the figures beside the cells are measured, too. Default: true. */
  readonly figures?: boolean;
  /** Starts the server that all of them need. */
  readonly start?: () => Promise<Backend | NoBackend>;
}

/** The cost of a store that has another one in front of it. */
const farTier: Contender = { ...kvSqlite, name: "far tier", role: "bare", note: "@kv/sqlite alone" };
const TIERS = "SQLite as in its own group; everything that is read has been read before.";
const OF_TIERS = [
  "get",
  "set",
  "mix90",
  "mix50",
  "get64",
  "set64",
  "burstGet",
  "getMany",
  "get10k",
  "set10k",
];

export const groups: readonly Group[] = [
  {
    name: "memory",
    title: "Memory",
    contenders: [kvMemory, keyvMemory, unstorageMemory, cacheManagerMemory, plainMap],
    baseline: keyvMemory,
    inHeap: true,
    terms: "Everything in one process, nothing persistent.",
  },
  {
    name: "sqlite",
    title: "SQLite",
    contenders: [kvSqlite, betterSqlite, keyvSqlite, unstorageSqlite],
    baseline: betterSqlite,
    inHeap: false,
    terms:
      "One file each, WAL and synchronous = NORMAL: a resolved write survives the end of the process, not a loss of power. All run on better-sqlite3.",
  },
  {
    name: "leveldb",
    title: "LevelDB",
    contenders: [kvLeveldb, classicLevel, keyvLevel],
    baseline: classicLevel,
    inHeap: false,
    terms:
      "One directory each, no fsync per write: a resolved write survives the end of the process, not a loss of power. All run on classic-level 3, with block caches of 32 MiB.",
  },
  {
    name: "redis",
    title: "Redis",
    contenders: [kvRedis, ioredis, ioredisPipelining, keyvRedis, unstorageRedis],
    baseline: ioredis,
    inHeap: false,
    terms:
      "One server on the same machine, over TCP, that writes nothing to the disk; one connection and one numbered database each.",
    start: redisBackend,
  },
  {
    name: "through",
    title: "Tiered: memory over SQLite, written through",
    contenders: [kvThrough, farTier],
    baseline: farTier,
    inHeap: false,
    terms: `Beside the far tier alone. ${TIERS}`,
    cells: OF_TIERS,
    figures: false,
  },
  {
    name: "behind",
    title: "Tiered: memory over SQLite, written behind",
    contenders: [kvBehind, farTier],
    baseline: farTier,
    inHeap: false,
    terms: `Beside the far tier alone. Writes are acknowledged by memory, and flushed while the next are made. ${TIERS}`,
    cells: OF_TIERS,
    figures: false,
  },
  {
    name: "codecs",
    title: "Codecs: SQLite in msgpack, structured and json",
    contenders: [kvMsgpack, kvStructured, kvJson],
    baseline: kvJson,
    inHeap: false,
    terms: "The same store, SQLite as in its own group, with each codec.",
    cells: ["get", "set", "getMany", "setMany", "get10k", "set10k"],
    figures: false,
  },
  {
    name: "hybrid",
    title: "Hybrid: files and Redis",
    contenders: [kvHybrid, ioredisBytes, copiedFile],
    baseline: ioredisBytes,
    inHeap: false,
    terms:
      "Values of 10 MB of random bytes. @kv/hybrid puts them into files and what it knows of them into Redis; bare Redis holds them itself, and writes nothing to the disk. Nobody waits for the disk.",
    cells: ["get10m", "set10m"],
    figures: false,
    start: redisBackend,
  },
];

/** The name of a group. */
export function cellsOf({ cells: names }: Group): readonly Cell[] {
  return cells.filter(({ name, needs }) => (names === undefined ? needs !== "huge" : names.includes(name)));
}

/** @throws Error if there is no such group */
export function groupOf(name: string): Group {
  const group = groups.find((candidate) => candidate.name === name);
  if (group === undefined)
    throw new Error(`no group "${name}"; there are ${groups.map((known) => known.name).join(", ")}`);
  return group;
}

/** @throws Error if there is no such contender */
export function contenderOf(group: string, name: string): Contender {
  const contender = groupOf(group).contenders.find((candidate) => candidate.name === name);
  if (contender === undefined) throw new Error(`no contender "${name}" in ${group}`);
  return contender;
}
