import { resolve } from "node:path";
import { KvError, Refusal, refuseUnknownOptions } from "@kv/core";
import type { LevelDatabase } from "./level-database.ts";

interface CommonOptions {
  /**
   * The keys begin with this, between two exclamation marks, as a sublevel's do: several stores, and other data, fit into
   * one database. ASCII letters, digits, `_`, `-` and `.`, at most 64. Default: `"kv"`.
   */
  readonly prefix?: string | undefined;
  /**
   * What a resolved write survives. `"fast"` (default): the end of the process, `kill -9` included. `"full"`: a loss
   * of power, too, at the cost of an fsync for every batch of writes.
   */
  readonly durability?: "fast" | "full" | undefined;
  /** Returns milliseconds since 1970; deadlines are compared with it. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

export interface LeveldbPathOptions extends CommonOptions {
  /** The database's directory, created if missing. */
  readonly path: string;
  /** Bytes of memory for blocks that were read. Default: 32 MiB. */
  readonly cacheSize?: number | undefined;
  /** Bytes of writes kept in memory before they become a table; up to two such buffers exist. Default: 4 MiB. */
  readonly writeBufferSize?: number | undefined;
  /**
   * Opening reads the tables if together they have at most this many bytes, and fails with `KV_CORRUPT` if one was altered
   * since the database was last closed. A gigabyte takes about a second. `0`: never; `Infinity`: always. Default: 64 MiB.
   */
  readonly verifyUpTo?: number | undefined;
  readonly database?: undefined;
}

export interface LeveldbDatabaseOptions extends CommonOptions {
  /**
   * A database opened by the caller, who also closes it. Everything else in it stays untouched. A prefix belongs to one
   * store at a time, across all threads if the driver shares the database between them.
   */
  readonly database: LevelDatabase;
  readonly path?: undefined;
}

export type LeveldbOptions = LeveldbPathOptions | LeveldbDatabaseOptions;

/** A database of our own. */
export interface Place {
  readonly path: string;
  readonly cacheSize: number;
  readonly writeBufferSize: number;
  readonly verifyUpTo: number;
}

/** The options with their defaults, checked. */
export interface Settings {
  readonly where: Place | { readonly database: LevelDatabase };
  readonly prefix: string;
  readonly durability: "fast" | "full";
  readonly clock: () => number;
}

const COMMON = ["prefix", "durability", "clock"] as const;
const PATH: ReadonlySet<string> = new Set(["path", "cacheSize", "writeBufferSize", "verifyUpTo", ...COMMON]);
const HANDED_IN: ReadonlySet<string> = new Set(["database", ...COMMON]);
const EITHER: ReadonlySet<string> = new Set([...PATH, ...HANDED_IN]);
const PREFIX = /^[\w.-]{1,64}$/;
const MIB = 2 ** 20;
/** The default of `verifyUpTo`, in bytes. */
export const VERIFY_UP_TO: number = 64 * MIB;

/** Looked up at each call: a test may replace it after the store was made. */
const now = (): number => Date.now();

/** @throws KvError `KV_INVALID_OPTION` */
export function settingsOf(options: LeveldbOptions): Settings {
  try {
    return checked(options);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new KvError(error.code, { message: error.message, operation: "open", adapter: "leveldb" });
  }
}

function checked(options: LeveldbOptions): Settings {
  if (options === undefined) refuse('leveldb() needs options: { path: "./data" } or { database }');
  refuseUnknownOptions(options, EITHER, "leveldb()");
  const { prefix = "kv", durability = "fast", clock = now } = options;
  demand(
    typeof prefix === "string" && PREFIX.test(prefix),
    "prefix",
    "1 to 64 ASCII letters, digits, _, - and .",
  );
  demand(durability === "fast" || durability === "full", "durability", '"fast" or "full"');
  demand(typeof clock === "function", "clock", "a function that returns milliseconds since 1970");
  const common = { prefix, durability, clock };
  if (options.database === undefined) return { ...common, where: ofPath(options) };
  refuseUnknownOptions(given(options), HANDED_IN, "leveldb({ database })");
  demandDatabase(options.database);
  return { ...common, where: { database: options.database } };
}

function ofPath(options: LeveldbPathOptions): Settings["where"] {
  refuseUnknownOptions(given(options), PATH, "leveldb({ path })");
  const { path, cacheSize = 32 * MIB, writeBufferSize = 4 * MIB, verifyUpTo = VERIFY_UP_TO } = options;
  demand(typeof path === "string" && path.trim() !== "", "path", "the path of a directory");
  demand(!path.includes("\0"), "path", "free of NUL characters");
  demand(isSize(cacheSize, 0), "cacheSize", "a whole number of bytes");
  demand(isSize(writeBufferSize, 2 ** 16), "writeBufferSize", "a whole number of bytes, at least 65536");
  demand(typeof verifyUpTo === "number" && verifyUpTo >= 0, "verifyUpTo", "a number of bytes, or Infinity");
  return { path: resolve(path), cacheSize, writeBufferSize, verifyUpTo };
}

function demandDatabase(database: LevelDatabase): void {
  // Other databases of the Level family cannot read snapshots, or cannot read on this thread.
  const supports: { getSync?: boolean; explicitSnapshots?: boolean } | undefined = database?.supports;
  demand(
    supports?.getSync === true && supports.explicitSnapshots === true,
    "database",
    "an open database of level or classic-level, or a sublevel of one",
  );
}

/** Without the options that are `undefined`: they count as not given. */
function given(options: LeveldbOptions): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function isSize(value: unknown, least: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= 0xffffffff;
}

function demand(holds: boolean, option: string, kind: string): void {
  if (!holds) refuse(`the option ${option} of leveldb() must be ${kind}`);
}

function refuse(message: string): never {
  throw new Refusal("KV_INVALID_OPTION", message);
}
