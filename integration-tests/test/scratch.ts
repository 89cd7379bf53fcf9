import { existsSync } from "node:fs";
import { tmpdir } from "node:os";

/** Where the suites make their thousands of databases: in memory, where there is such a file system. */
export const SCRATCH: string = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
