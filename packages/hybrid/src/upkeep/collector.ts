import { lstat, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Adapter, Refusal } from "@kv/core";
import type { Directory } from "../directory/directory.ts";
import { makeDirectory } from "../directory/durable.ts";
import { type ListedFile, listedFiles } from "../directory/file-listing.ts";
import { type GracePeriods, hasEnded, isHeld, isSecondName } from "../directory/owner.ts";
import { ALL, pinnedNames } from "../directory/pins.ts";
import { directoryFault, isMissing } from "../errors.ts";
import { fileEntries } from "../stored/file-entries.ts";
import { tidyFolder } from "../write/latest-link.ts";

/** The result of a collection of the files that no entry names. */
export interface CollectReport {
  /** Files removed for good, remains of unfinished writes included. */
  readonly removed: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Files put into quarantine: a later call removes them, once the grace period is over. */
  readonly quarantined: number;
  /** Files taken out of quarantine, because an entry names them after all. */
  readonly restored: number;
}

/** How long files are kept, first in place and then in quarantine, if the index names no file at all. */
const DOUBTFUL_MS = 24 * 3_600_000;

interface Quarantined extends ListedFile {
  readonly path: string;
  /** Milliseconds since it was put there. */
  readonly age: number;
}

/** The parameters of one collection. */
interface Plan {
  /** Milliseconds. */
  readonly grace: number;
  readonly doubtful: boolean;
  /** The clock that dates the files. */
  readonly now: () => number;
}

/** Finds and removes the files that no entry names. See `layout.ts` for the procedure, and why it is safe. */
export class Collector {
  readonly #index: Adapter;
  readonly #directory: Directory;
  readonly #grace: number;
  #running: Promise<unknown> = Promise.resolve();
  #stopped = false;

  /** `grace`: the least time in milliseconds for which files that another process may be about to name are kept. */
  constructor(index: Adapter, directory: Directory, grace: number) {
    this.#index = index;
    this.#directory = directory;
    this.#grace = grace;
  }

  /**
   * `grace`: milliseconds. With 0, files that no entry names are removed at once rather than put into quarantine.
   * `doubtful`: whether files are kept for a day if the index names none at all, because it may have been emptied, or may
   * belong to another directory.
   */
  collect(grace: number, doubtful = false): Promise<CollectReport> {
    const run = this.#running.then(() => this.#collect(grace, doubtful));
    this.#running = run.catch(() => undefined);
    return run;
  }

  /** Ends the collection in progress at the next opportunity, and resolves then. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #collect(grace: number, doubtful: boolean): Promise<CollectReport> {
    const count = { removed: 0, bytes: 0, quarantined: 0, restored: 0 };
    try {
      await this.#directory.assertThere();
      await this.#directory.noteCollected();
      // Expired entries are removed first: one could become live again if the clock went back, without its file.
      await this.#index.sweep();
      const plan = { grace, doubtful, now: await this.#directory.clock() };
      await this.#removeUnfinished(this.#directory.paths.tmp, plan, count);
      await this.#pass(plan, count);
      if (grace === 0) await this.#pass(plan, count);
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

  async #pass(plan: Plan, count: Count): Promise<void> {
    const { paths } = this.#directory;
    const { now } = plan;
    const loose = new Map<string, ListedFile>();
    for await (const file of listedFiles(paths.directory)) {
      this.#assertGoing();
      if (isOver(plan.grace, now() - file.at)) loose.set(file.name, file);
    }
    const quarantined = await this.#quarantined(now);
    await this.#directory.assertThere();
    if (loose.size === 0 && quarantined.length === 0) return;
    const needed = await pinnedNames(paths.pins, this.#periods(plan.grace), now);
    const inTrash = new Set(quarantined.map(({ name }) => name));
    let named = 0;
    for await (const { reference } of fileEntries(this.#index)) {
      this.#assertGoing();
      named++;
      if (reference instanceof Refusal) continue;
      loose.delete(reference.file);
      if (inTrash.has(reference.file)) needed.add(reference.file);
    }
    const grace = plan.doubtful && named === 0 ? Math.max(plan.grace, DOUBTFUL_MS) : plan.grace;
    for (const file of quarantined) {
      this.#assertGoing();
      if (needed.has(file.name)) await this.#restore(file, count);
      else if (!needed.has(ALL) && isOver(grace, file.age)) await this.#remove(file.path, file.bytes, count);
    }
    await this.#removeEmptyTrash();
    if (needed.has(ALL)) return;
    await this.#quarantine(
      [...loose.values()].filter(({ name, at }) => isOver(grace, now() - at) && !needed.has(name)),
      now(),
      count,
    );
  }

  async #quarantined(now: () => number): Promise<Quarantined[]> {
    const { trash } = this.#directory.paths;
    const files: Quarantined[] = [];
    for (const folder of await this.#directory.trashFolders()) {
      const age = now() - Number.parseInt(folder, 10);
      for await (const file of listedFiles(join(trash, folder)))
        files.push({ ...file, age, path: join(trash, folder, ...file.name.split("/")) });
    }
    return files;
  }

  async #quarantine(files: readonly ListedFile[], now: number, count: Count): Promise<void> {
    const folder = join(this.#directory.paths.trash, this.#directory.newTrashFolder(now));
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
      // A file of that name was written since. It has the same content, and it is the one known to be intact.
      else await this.#remove(path, bytes, count);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async #remove(path: string, bytes: number, count: Count): Promise<void> {
    try {
      // Unlike `rm`, it fails if another collector removed the file a moment ago: each file is counted once.
      await unlink(path);
      count.removed++;
      count.bytes += bytes;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** Removes empty folders of quarantine, except those that another collector has just made. */
  async #removeEmptyTrash(): Promise<void> {
    const { trash } = this.#directory.paths;
    for (const folder of await this.#directory.trashFolders()) await removeIfEmpty(join(trash, folder));
  }

  /** Removes the unfinished files of processes that have ended. */
  async #removeUnfinished(folder: string, plan: Plan, count: Count): Promise<void> {
    for (const name of await readdir(folder)) {
      this.#assertGoing();
      const path = join(folder, name);
      try {
        const found = await lstat(path);
        // A second name has the time of its file, not the time at which the name was made.
        const age = plan.now() - (isSecondName(name) ? found.ctimeMs : found.mtimeMs);
        if (found.isDirectory()) {
          await this.#removeUnfinished(path, plan, count);
          if (hasEnded(name, age)) await removeIfEmpty(path);
        } else if (!isHeld(name, age, this.#periods(plan.grace))) await this.#remove(path, found.size, count);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
  }

  #assertGoing(): void {
    if (this.#stopped) throw new Refusal("KV_CLOSED", "the store was closed while files were collected");
  }
}

/** A grace period of 0 is over even for a file written at this moment, whose time may come from a coarse clock. */
function isOver(grace: number, age: number): boolean {
  return grace === 0 || age >= grace;
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
      // Otherwise another collector has removed the folder, taking it for an old empty one.
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

/** Removes empty folders, depth first; others stay. */
async function removeIfEmpty(folder: string): Promise<void> {
  try {
    for (const found of await readdir(folder, { withFileTypes: true }))
      if (found.isDirectory()) await removeIfEmpty(join(folder, found.name));
    await rmdir(folder);
  } catch {
    // The folder is not empty, or it is gone.
  }
}
