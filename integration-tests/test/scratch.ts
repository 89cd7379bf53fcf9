import { existsSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";

const IN_MEMORY = "/dev/shm";
/** Bytes that have to be free there: containers often have 64 MB. */
const ENOUGH = 2 ** 31;

/** Where the suites make their thousands of databases and files: in memory, where there is such a file system. */
export const SCRATCH: string = isRoomy(IN_MEMORY) ? IN_MEMORY : tmpdir();

function isRoomy(directory: string): boolean {
  if (!existsSync(directory)) return false;
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize >= ENOUGH;
}
