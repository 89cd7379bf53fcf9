import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { isError } from "@kv/core";

/** Who has a database open, as it says of itself in a file beside LevelDB's own, whose lock names nobody. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When it was opened, in ISO 8601. */
  readonly since: string;
}

/** LevelDB leaves alone what is not named as its own files are. */
const FILE = "kv-holder.json";

/** Best effort: who cannot be named is "another process". */
export function writeHolder(path: string): void {
  const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  quietly(() => writeFileSync(join(path, FILE), `${JSON.stringify(holder)}\n`));
}

export function removeHolder(path: string): void {
  quietly(() => rmSync(join(path, FILE), { force: true }));
}

export function readHolder(path: string): Holder | undefined {
  return quietly(() => {
    const holder: Partial<Holder> = JSON.parse(readFileSync(join(path, FILE), "utf8"));
    const { pid, host, since } = holder;
    if (typeof pid !== "number" || typeof host !== "string" || typeof since !== "string") return undefined;
    return isAlive(pid, host) ? { pid, host, since } : undefined;
  });
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

export function sayHolder(holder: Holder | undefined): string {
  if (holder === undefined) return "another process";
  const since = `since ${holder.since}`;
  if (holder.pid === process.pid && holder.host === hostname())
    return `another store of this process (${since})`;
  return `process ${holder.pid} on ${holder.host} (${since})`;
}

/** A process that was killed could not take its file away. */
function isAlive(pid: number, host: string): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and somebody else's.
    return isError(error) && "code" in error && error.code === "EPERM";
  }
}
