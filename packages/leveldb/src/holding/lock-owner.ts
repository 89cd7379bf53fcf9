import { readFileSync, statSync } from "node:fs";

/**
 * The process that holds a lock on a file, by Linux's list of locks; `undefined`: none, or the system has no such list.
 * `0`: a process that is not visible from here, as one in another container.
 */
export function lockOwner(file: string): number | undefined {
  try {
    const { dev, ino } = statSync(file, { bigint: true });
    // As the kernel packs device numbers for stat(2).
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
    const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
    const place = `${hex(major)}:${hex(minor)}:${ino}`;
    for (const line of readFileSync("/proc/locks", "utf8").split("\n")) {
      const [, kind, , , pid, where] = line.split(/\s+/);
      if (kind === "POSIX" && where === place) return Number(pid);
    }
  } catch {
    // There is no such list, or no such file.
  }
  return undefined;
}

function hex(part: bigint): string {
  return part.toString(16).padStart(2, "0");
}
