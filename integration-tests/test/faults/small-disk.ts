import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A separate file system of the given number of megabytes. */
export interface SmallDisk {
  readonly path: string;
}

/** Mounts one, gone with the test whatever becomes of it. A string: why there can be none here. */
export function smallDisk(
  megabytes: number,
  onTestFinished: (clean: () => void) => unknown,
): SmallDisk | string {
  if (process.platform !== "linux") return "needs Linux, to mount a small tmpfs";
  if (process.getuid?.() !== 0) return "needs root, to mount a small tmpfs";
  const path = mkdtempSync(join(tmpdir(), "kv-small-disk-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "kv-small-disk", path], {
      stdio: "pipe",
    });
  } catch (error) {
    return `needs the right to mount a small tmpfs: ${error instanceof Error ? error.message.trim() : error}`;
  }
  // Finishers run in reverse order: first the mount goes, then its directory. Lazily: a file may still be open.
  onTestFinished(() => void execFileSync("umount", ["--lazy", path], { stdio: "pipe" }));
  return { path };
}
