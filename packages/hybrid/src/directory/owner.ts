import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { isError } from "@kv/core";

/** A day: whatever a process does with a pin or an unfinished file, it does sooner. Its number may be another's by then. */
const LONGEST_MS = 24 * 3_600_000;
const NAME = /^([0-9a-f]{12})\.(\d+)-[0-9a-f]+(?:\.read)?$/;
const READ = ".read";

/**
 * Identifies where process numbers are valid: the host name and, on Linux, this boot of the machine and the namespace of
 * process ids (a container has its own). The last one alone differs between containers of one machine, but not between machines:
 * two that share the directory may have the same host name, as containers that are configured with one do.
 */
const HERE = createHash("sha256")
  .update([hostname(), thisBoot(), processNamespace()].join(" "))
  .digest("hex")
  .slice(0, 12);

function thisBoot(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

function processNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

/** A name for a file of this process. */
export function ownedName(): string {
  return `${HERE}.${process.pid}-${randomBytes(8).toString("hex")}`;
}

/** A name for a file that has one already, and that this process reads. */
export function secondName(): string {
  return `${ownedName()}${READ}`;
}

export function isSecondName(name: string): boolean {
  return name.endsWith(READ);
}

/** How long what is written, and what is pinned, is left alone by who cannot know whether it is needed. In milliseconds. */
export interface GracePeriods {
  /** Where its process is known to be dead. */
  readonly here: number;
  /** Where it is on another machine, or does not know itself: no less, whatever is asked of one collection. */
  readonly elsewhere: number;
}

/** Whether what was last changed `age` milliseconds ago, and has such a name, may still be needed by who made it. */
export function isHeld(name: string, age: number, { here, elsewhere }: GracePeriods): boolean {
  const [, host, pid] = NAME.exec(name) ?? [];
  if (host !== HERE) return age < elsewhere;
  return age < here || (age < LONGEST_MS && isAlive(Number(pid)));
}

/** A month: longer than a machine that is not heard of is away. */
const AWAY_MS = 30 * LONGEST_MS;

/** Whether the process that made what has such a name, and that changed `age` milliseconds ago, has ended. */
export function hasEnded(name: string, age: number): boolean {
  const [, host, pid] = NAME.exec(name) ?? [];
  return host === HERE ? !isAlive(Number(pid)) : age > AWAY_MS;
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // There is one, of another user.
    return isError(error) && "code" in error && error.code === "EPERM";
  }
}
