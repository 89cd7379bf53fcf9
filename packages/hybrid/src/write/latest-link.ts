import { readlink, rename, rm, rmdir, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Adapter, Namespace } from "@kv/core";
import type { Directory } from "../directory/directory.ts";
import { LATEST } from "../directory/file-name.ts";
import { isInFile, referenceOf } from "../stored/reference.ts";

/** How often the link may have to be moved to another writer's newer file. */
const ATTEMPTS = 5;

/**
 * Points the link `latest` beside the file to it, or to the newer file that the index names by then. The link is only for
 * people and is never read, so it may be wrong for a moment, and failing to make it does not fail a write.
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
    // The next write makes the link.
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

/** Called after a file was removed from a folder for people: removes a link that points to it, and empty folders. */
export async function tidyFolder(top: string, path: string): Promise<void> {
  const latest = join(dirname(path), LATEST);
  try {
    if ((await readlink(latest)) === basename(path)) await rm(latest);
  } catch {
    // There is no link.
  }
  try {
    for (let folder = dirname(path); folder !== top; folder = dirname(folder)) await rmdir(folder);
  } catch {
    // The folder is not empty, or a file was just put into it.
  }
}
