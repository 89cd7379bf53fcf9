import { lstat, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Adapter, Refusal } from "@kv/core";
import type { Directory } from "./directory.ts";
import { makeDirectory } from "./durable.ts";
import { directoryFault, isMissing } from "./errors.ts";
import { fileEntries } from "./file-entries.ts";
import { type ListedFile, listedFiles } from "./file-listing.ts";
import { tidyFolder } from "./latest-link.ts";
import { type GracePeriods, isHeld, isSecondName } from "./owner.ts";
import { pinnedNames } from "./pins.ts";

/** What became of the files that no entry names. */
export interface CollectReport {
  /** Files removed for good, remains of writes that were never finished included. */
  readonly removed: number;
  /** Bytes of those. */
  readonly bytes: number;
  /** Files put into quarantine: removed by a later call, once the grace period is over. */
  readonly quarantined: number;
  /** Files taken out of quarantine, because an entry names them after all. */
  readonly restored: number;
}

interface Quarantined extends ListedFile {
  readonly path: string;
}

/** Finds the files that no entry names, and removes them: see `layout.ts` for how, and why that is safe. */
export class Collector {
  readonly #index: Adapter;
  readonly #directory: Directory;
  readonly #grace: number;
  #running: Promise<unknown> = Promise.resolve();
  #stopped = false;

  /** `grace`: of what others may be about to name, at least, in milliseconds. */
  constructor(index: Adapter, directory: Directory, grace: number) {
    this.#index = index;
    this.#directory = directory;
    this.#grace = grace;
  }

  /** `grace`: milliseconds. With 0 what no entry names is gone at the end, and not only in quarantine. */
  collect(grace: number): Promise<CollectReport> {
    const run = this.#running.then(() => this.#collect(grace));
    this.#running = run.catch(() => undefined);
    return run;
  }

  /** Ends what is under way at the next opportunity, and resolves then. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #collect(grace: number): Promise<CollectReport> {
    const count = { removed: 0, bytes: 0, quarantined: 0, restored: 0 };
    try {
      await this.#directory.assertThere();
      await this.#directory.noteCollected();
      // What has expired would be there again if the clock went back, and its file would not.
      await this.#index.sweep();
      await this.#removeUnfinished(this.#periods(grace), count);
      await this.#pass(grace, count);
      if (grace === 0) await this.#pass(grace, count);
      return count;
    } catch (error) {
      throw this.#index.errorCode(error) === undefined
        ? directoryFault(error, this.#directory.paths.directory)
        : error;
    }
  }

  #periods(grace: number): GracePeriods {
    return { here: grace, elsewhere: Math.max(grace, this.#grace) };
  }

  async #pass(grace: number, count: Count): Promise<void> {
    const { paths } = this.#directory;
    const loose = new Map<string, ListedFile>();
    for await (const file of listedFiles(paths.directory)) {
      this.#assertGoing();
      if (file.age >= grace) loose.set(file.name, file);
    }
    const quarantined = await this.#quarantined();
    if (loose.size === 0 && quarantined.length === 0) return;
    const needed = await pinnedNames(paths.pins, this.#periods(grace));
    const inTrash = new Set(quarantined.map(({ name }) => name));
    for await (const { reference } of fileEntries(this.#index)) {
      this.#assertGoing();
      if (reference instanceof Refusal) continue;
      loose.delete(reference.file);
      if (inTrash.has(reference.file)) needed.add(reference.file);
    }
    for (const file of quarantined) {
      this.#assertGoing();
      if (needed.has(file.name)) await this.#restore(file, count);
      else if (file.age >= grace) await this.#remove(file.path, file.bytes, count);
    }
    await this.#removeEmptyTrash();
    await this.#quarantine(
      [...loose.values()].filter(({ name }) => !needed.has(name)),
      count,
    );
  }

  async #quarantined(): Promise<Quarantined[]> {
    const { trash } = this.#directory.paths;
    const files: Quarantined[] = [];
    for (const folder of await this.#directory.trashFolders()) {
      const age = Date.now() - Number.parseInt(folder, 10);
      for await (const { name, bytes } of listedFiles(join(trash, folder)))
        files.push({ name, bytes, age, path: join(trash, folder, ...name.split("/")) });
    }
    return files;
  }

  async #quarantine(files: readonly ListedFile[], count: Count): Promise<void> {
    const folder = join(this.#directory.paths.trash, this.#directory.newTrashFolder());
    for (const { name } of files) {
      this.#assertGoing();
      const path = this.#directory.pathOf(name);
      const target = join(folder, ...name.split("/"));
      if (!(await moved(path, target))) continue;
      count.quarantined++;
      if (name.startsWith("entries/")) await tidyFolder(this.#directory.pathOf("entries"), path);
    }
  }

  async #restore({ name, path, bytes }: Quarantined, count: Count): Promise<void> {
    try {
      if (await this.#directory.putBack(path, name)) count.restored++;
      // A file of that name was written since: by intent the same, and the one that is known to be good.
      else await this.#remove(path, bytes, count);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async #remove(path: string, bytes: number, count: Count): Promise<void> {
    try {
      await rm(path);
      count.removed++;
      count.bytes += bytes;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** Folders of quarantine from which everything is gone, but not those that another collector has just made. */
  async #removeEmptyTrash(): Promise<void> {
    const { trash } = this.#directory.paths;
    for (const folder of await this.#directory.trashFolders()) await removeIfEmpty(join(trash, folder));
  }

  /** What processes that are gone were writing. */
  async #removeUnfinished(periods: GracePeriods, count: Count): Promise<void> {
    const { tmp } = this.#directory.paths;
    for (const name of await readdir(tmp)) {
      this.#assertGoing();
      const path = join(tmp, name);
      try {
        const { size, mtimeMs, ctimeMs } = await lstat(path);
        // The second name of a file says nothing of when the file was written.
        const age = Date.now() - (isSecondName(name) ? ctimeMs : mtimeMs);
        if (!isHeld(name, age, periods)) await this.#remove(path, size, count);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
  }

  #assertGoing(): void {
    if (this.#stopped) throw new Refusal("KV_CLOSED", "the store was closed while files were collected");
  }
}

type Count = { -readonly [Name in keyof CollectReport]: CollectReport[Name] };

/** Renames a file into a folder that is made for it; `false`: the file is gone. */
async function moved(from: string, to: string): Promise<boolean> {
  for (;;) {
    try {
      await makeDirectory(dirname(to), false);
      await rename(from, to);
      return true;
    } catch (error) {
      // Else another collector took the folder for one that it may remove.
      if (!isMissing(error)) throw error;
      if (!(await exists(from))) return false;
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Depth first; what is not empty stays. */
async function removeIfEmpty(folder: string): Promise<void> {
  try {
    for (const found of await readdir(folder, { withFileTypes: true }))
      if (found.isDirectory()) await removeIfEmpty(join(folder, found.name));
    await rmdir(folder);
  } catch {
    // It is not empty, or gone.
  }
}
