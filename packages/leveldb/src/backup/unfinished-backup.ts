import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "@kv/core";

/** Lies in the directory of a backup until the backup is complete. */
const FILE = "kv-backup-unfinished";

export function markUnfinished(directory: string): void {
  writeFileSync(join(directory, FILE), "");
}

export function markFinished(directory: string): void {
  rmSync(join(directory, FILE));
}

/** @throws Refusal `KV_CORRUPT` */
export function refuseUnfinished(directory: string): void {
  if (!existsSync(join(directory, FILE))) return;
  throw new Refusal(
    "KV_CORRUPT",
    `${directory} is a backup that was never finished; delete it, and use another one`,
  );
}
