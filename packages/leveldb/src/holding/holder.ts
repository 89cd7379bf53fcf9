import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { Refusal } from "@kv/core";
import { fileIdAt } from "../connection/file-id.ts";
import { hasOpen } from "./descriptors.ts";
import { processSpace, startOf } from "./process-identity.ts";

/** The process that has a database open, as recorded in a file beside LevelDB's own, whose lock does not name the process. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the database was opened, in ISO 8601. */
  readonly since: string;
  /** Where `pid` is valid, see `processSpace`. Absent in files of older versions. */
  readonly space?: string | undefined;
  /** When the process began, see `startOf`. */
  readonly started?: string | undefined;
}

/**
 * - `none`: there is no file.
 * - `gone`: the process that wrote it has ended or no longer has it open; or the file is a copy.
 * - `holds`: that process has the database open.
 * - `unknown`: written on another machine or in another container, by an older version, or unreadable. LevelDB's own lock
 *   decides then.
 */
export type HolderState =
  | { readonly is: "none" | "gone" }
  | { readonly is: "holds"; readonly holder: Holder }
  | { readonly is: "unknown"; readonly holder: Holder | undefined };

/** LevelDB ignores files with names unlike those of its own. */
const FILE = "kv-holder.json";

export function holderFile(path: string): string {
  return join(path, FILE);
}

/** As `holderFile`, for a store over a database handed in: one directory may have several, each with a prefix. */
export function sharedHolderFile(path: string, prefix: string): string {
  return join(path, `kv-holder-${createHash("sha256").update(prefix).digest("hex").slice(0, 16)}.json`);
}

export function isSharedHolder(name: string): boolean {
  return /^kv-holder-[0-9a-f]{16}\.json$/.test(name);
}

/** The name under which a holder file is written before it gets its own. */
export function temporaryOf(file: string): string {
  return `${file}.${crypto.randomUUID()}.tmp`;
}

export function isTemporary(name: string): boolean {
  return name.startsWith("kv-holder") && name.endsWith(".tmp");
}

export function thisHolder(): Holder {
  return {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    space: processSpace(),
    started: startOf(process.pid),
  };
}

/** Read before LevelDB may touch its lock. */
export function holderState(file: string): HolderState {
  const id = fileIdAt(file);
  if (id === undefined) return { is: "none" };
  const holder = readHolder(file);
  if (holder === undefined) return { is: "unknown", holder };
  const { pid, space, started } = holder;
  if (space === undefined || space !== processSpace()) return { is: "unknown", holder };
  // On Windows no other process can open LevelDB's lock file, so none can free the lock by closing it.
  if (process.platform === "win32") return { is: "unknown", holder };
  const start = startOf(pid);
  if (start === undefined) return { is: "gone" };
  // The holder keeps the file open: a copy of the file, or one that outlived its worker thread, is therefore not valid.
  const open = hasOpen(pid, id) ?? (start === started || start === "" || started === "");
  return open ? { is: "holds", holder } : { is: "gone" };
}

export function readHolder(file: string): Holder | undefined {
  try {
    const holder: Partial<Holder> = JSON.parse(readFileSync(file, "utf8"));
    const { pid, host, since, space, started } = holder;
    if (!Number.isSafeInteger(pid) || typeof host !== "string" || typeof since !== "string") return undefined;
    return pid === undefined || pid <= 0 ? undefined : { pid, host, since, space, started };
  } catch {
    return undefined;
  }
}

export function sayHolder(holder: Pick<Holder, "pid"> & Partial<Holder>): string {
  const since = holder.since === undefined ? "" : ` (since ${holder.since})`;
  const here = holder.host === undefined || holder.host === hostname();
  if (holder.pid === process.pid && here) return `another store of this process${since}`;
  return `process ${holder.pid} on ${holder.host ?? hostname()}${since}`;
}

/** The refusal of a database that another store holds; `holder`, if known, is named. */
export function held(
  error: unknown,
  path: string,
  holder: (Pick<Holder, "pid"> & Partial<Holder>) | undefined,
): Refusal {
  const who = holder === undefined ? "another process" : sayHolder(holder);
  return new Refusal(
    "KV_UNAVAILABLE",
    `${path} is held by ${who}; LevelDB allows one process and one store at a time: close that store, or use an adapter that several may share`,
    { cause: error, held: true },
  );
}
