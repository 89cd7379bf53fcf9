import { readlink, rename, rm, rmdir, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Adapter, Namespace } from "@kv/core";
import type { Directory } from "../directory/directory.ts";
import { LATEST } from "../directory/file-name.ts";
import { isInFile, referenceOf } from "../stored/reference.ts";

/** How often another writer's newer file may be found to be the latest. */
const ATTEMPTS = 5;

/**
 * Lets `latest`, beside the file, point to it, or to the newer one that the index names by then. It is there for people;
 * nothing is ever read through it, so that it may be wrong for a moment, and failing to make it fails no write.
 */
export async function linkLatest(
  index: Adapter,
  directory: Directory,
  namespace: Namespace,
  key: string,
  file: string,
): Promise<void> {
  try {
    let linked = file;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await link(directory, linked);
      const [entry] = await index.read(namespace, [key]);
      if (entry === undefined || !isInFile(entry.encoding)) return;
      const current = referenceOf(entry.payload).file;
      if (current === linked || dirname(current) !== dirname(file)) return;
      linked = current;
    }
  } catch {
    // The next write makes it.
  }
}

async function link(directory: Directory, file: string): Promise<void> {
  const path = directory.pathOf(file);
  const staged = directory.staged();
  await symlink(basename(path), staged);
  try {
    await rename(staged, join(dirname(path), LATEST));
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
}

/** After a file has left a folder for people: takes away a link that points to it, and folders that are empty. */
export async function tidyFolder(top: string, path: string): Promise<void> {
  const latest = join(dirname(path), LATEST);
  try {
    if ((await readlink(latest)) === basename(path)) await rm(latest);
  } catch {
    // There is none.
  }
  try {
    for (let folder = dirname(path); folder !== top; folder = dirname(folder)) await rmdir(folder);
  } catch {
    // Something is still in it, or was put there just now.
  }
}
