import type { Contender } from "./contender.ts";
import { betterSqlite } from "./contenders/better-sqlite3.ts";
import { cacheManagerMemory } from "./contenders/cache-manager-memory.ts";
import { keyvMemory } from "./contenders/keyv-memory.ts";
import { keyvSqlite } from "./contenders/keyv-sqlite.ts";
import { kvMemory } from "./contenders/kv-memory.ts";
import { kvSqlite } from "./contenders/kv-sqlite.ts";
import { plainMap } from "./contenders/plain-map.ts";
import { unstorageMemory } from "./contenders/unstorage-memory.ts";
import { unstorageSqlite } from "./contenders/unstorage-sqlite.ts";

/** Contenders that do the same work over the same backend. Exactly one of them is ours. */
export interface Group {
  readonly name: string;
  readonly title: string;
  readonly contenders: readonly Contender[];
  /** The contender that the targets are ratios to. */
  readonly baseline: Contender;
  /** Whether entries live in the heap of this process, so that bytes per entry can be told. */
  readonly inHeap: boolean;
  /** What was done for equal terms. */
  readonly terms: string;
}

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
];

/** @throws where there is none of that name */
export function groupOf(name: string): Group {
  const group = groups.find((candidate) => candidate.name === name);
  if (group === undefined)
    throw new Error(`no group "${name}"; there are ${groups.map((known) => known.name).join(", ")}`);
  return group;
}

/** @throws where there is none of that name */
export function contenderOf(group: string, name: string): Contender {
  const contender = groupOf(group).contenders.find((candidate) => candidate.name === name);
  if (contender === undefined) throw new Error(`no contender "${name}" in ${group}`);
  return contender;
}
