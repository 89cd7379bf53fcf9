import { type BigIntStats, fstatSync, statSync } from "node:fs";

/** Identifies a file among all that exist at the same time, whatever its path: device and inode. */
export type FileId = string;

/** `undefined`: no file has this path. */
export function fileIdAt(path: string): FileId | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && fileIdOf(stats);
}

/** The id of an open file, which may have lost its name. */
export function fileIdOfDescriptor(descriptor: number): FileId {
  return fileIdOf(fstatSync(descriptor, { bigint: true }));
}

/** Takes big integers: an inode may be larger than a number can hold exactly. */
export function fileIdOf({ dev, ino }: BigIntStats): FileId {
  return `${dev}:${ino}`;
}
