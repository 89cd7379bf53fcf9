import { lstat, readdir, rename, rm, rmdir } from "node:fs/promises";
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

/** How long files are kept, first in place and then in quarantine, where the index names none. */
const DOUBTFUL_MS = 24 * 3_600_000;

interface Quarantined extends ListedFile {
  readonly path: string;
  /** Milliseconds that it has been there. */
  readonly age: number;
}

/** How a collection goes about it. */
interface Plan {
  /** Milliseconds. */
  readonly grace: number;
  readonly doubtful: boolean;
  /** The clock that dates the files. */
  readonly now: () => number;
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

  /**
   * `grace`: milliseconds. With 0 what no entry names is gone at the end, and not only in quarantine. `doubtful`: whether
   * files are kept for a day where the index names none at all, as one does that was emptied, or is another directory's.
   */
  collect(grace: number, doubtful = false): Promise<CollectReport> {
    const run = this.#running.then(() => this.#collect(grace, doubtful));
    this.#running = run.catch(() => undefined);
    return run;
  }

  /** Ends what is under way at the next opportunity, and resolves then. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #collect(grace: number, doubtful: boolean): Promise<CollectReport> {
    const count = { removed: 0, bytes: 0, quarantined: 0, restored: 0 };
    try {
      await this.#directory.assertThere();
      await this.#directory.noteCollected();
      // What has expired would be there again if the clock went back, and its file would not.
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
  async #removeUnfinished(folder: string, plan: Plan, count: Count): Promise<void> {
    for (const name of await readdir(folder)) {
      this.#assertGoing();
      const path = join(folder, name);
      try {
        const found = await lstat(path);
        // The second name of a file says nothing of when the file was written.
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

/** With a grace period of 0 it is over for what was written in this moment, too, by a clock that may be coarse. */
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
