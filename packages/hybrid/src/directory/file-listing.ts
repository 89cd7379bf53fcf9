import type { Dirent } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../errors.ts";
import { Turns } from "../turns.ts";
import { isFileName } from "./file-name.ts";
import { FILE_FOLDERS } from "./layout.ts";

export interface ListedFile {
  /** The name used by references. */
  readonly name: string;
  readonly bytes: number;
  /** When it was written, in milliseconds since 1970. */
  readonly at: number;
}

/** The files below a directory that may belong to entries, as they are found. Files that vanish meanwhile are left out. */
export async function* listedFiles(directory: string): AsyncGenerator<ListedFile, void, undefined> {
  for (const folder of FILE_FOLDERS) {
    for await (const name of namesIn(directory, folder)) {
      if (!isFileName(name)) continue;
      try {
        const { size, mtimeMs } = await lstat(join(directory, name));
        yield { name, bytes: size, at: mtimeMs };
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
  }
}

async function* namesIn(directory: string, folder: string): AsyncGenerator<string, void, undefined> {
  const folders: string[] = [];
  for await (const found of entriesOf(join(directory, folder))) {
    const name = `${folder}/${found.name}`;
    if (found.isDirectory()) folders.push(name);
    else if (found.isFile()) yield name;
  }
  for (const below of folders) yield* namesIn(directory, below);
}

/** The number of folders listed at a time, in all stores of the process: each is open while it is listed. */
const AT_ONCE = 4;
const turns = new Turns(AT_ONCE);

async function* entriesOf(path: string): AsyncGenerator<Dirent, void, undefined> {
  await turns.begin();
  try {
    yield* await opendir(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  } finally {
    turns.end();
  }
}
