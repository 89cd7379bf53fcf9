import { type BigIntStats, fstatSync, statSync } from "node:fs";

/** What tells a file from every other one that exists at the same time, by whatever path: device and inode. */
export type FileId = string;

/** `undefined`: no file has this path. */
export function fileIdAt(path: string): FileId | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && fileIdOf(stats);
}

/** Of an open file, which may have lost its name. */
export function fileIdOfDescriptor(descriptor: number): FileId {
  return fileIdOf(fstatSync(descriptor, { bigint: true }));
}

/** Inodes may be larger than a number can tell exactly. */
export function fileIdOf({ dev, ino }: BigIntStats): FileId {
  return `${dev}:${ino}`;
}
