import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { isError } from "@kv/core";

/** A day: no process needs a pin or an unfinished file longer, and its process id may be reused by then. */
const LONGEST_MS = 24 * 3_600_000;
const NAME = /^([0-9a-f]{12})\.(\d+)-[0-9a-f]+(?:\.read)?$/;
const READ = ".read";

/**
 * Identifies where process ids are valid: by the host name and, on Linux, this boot of the machine and the namespace of
 * process ids (a container has its own). The namespace differs between containers of one machine, but not between machines;
 * and two machines that share the directory may have the same host name, if their containers are configured with it.
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

/** A second name for a file that this process reads. */
export function secondName(): string {
  return `${ownedName()}${READ}`;
}

export function isSecondName(name: string): boolean {
  return name.endsWith(READ);
}

/** How long a collector keeps files being written and pins that may still be needed. In milliseconds. */
export interface GracePeriods {
  /** If their process is known to be dead. */
  readonly here: number;
  /** If their process is on another machine, or unsure of its commit. Never shortened for a single collection. */
  readonly elsewhere: number;
}

/** Whether the owner of a file with this name, last changed `age` milliseconds ago, may still need it. */
export function isHeld(name: string, age: number, { here, elsewhere }: GracePeriods): boolean {
  const [, host, pid] = NAME.exec(name) ?? [];
  if (host !== HERE) return age < elsewhere;
  return age < here || (age < LONGEST_MS && isAlive(Number(pid)));
}

/** A month: an unreachable machine is assumed to be back sooner. */
const AWAY_MS = 30 * LONGEST_MS;

/** Whether the owner of a file with this name, last changed `age` milliseconds ago, has ended. */
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
    // The process exists and belongs to another user.
    return isError(error) && "code" in error && error.code === "EPERM";
  }
}
