import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import {
  access,
  type FileHandle,
  link,
  mkdir,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { monotonicNow, Refusal } from "@kv/core";
import { directoryFault, fsCode, isMissing } from "../errors.ts";
import { DESCRIPTORS } from "./descriptors.ts";
import { makeDirectory, syncDirectory } from "./durable.ts";
import { type Paths, pathsOf } from "./layout.ts";
import { claim, layoutVersion } from "./marker.ts";
import { OpenFile } from "./open-file.ts";
import { ownedName, secondName } from "./owner.ts";
import { Pin } from "./pins.ts";
import { stagedFile } from "./staged-file.ts";

/** A collector may remove an empty folder between its making and its use, but not this often in a row. */
const ATTEMPTS = 10;

/** The directory of files, for writers and readers. */
export class Directory {
  readonly paths: Paths;
  readonly #durable: boolean;
  /**
   * The folder in which this opening writes files before they get their names. If the directory was replaced since it was
   * opened (by a restored copy or another disk), this folder is missing, so every write fails before it is acknowledged.
   */
  #session: string;

  constructor(directory: string, durable: boolean) {
    this.paths = pathsOf(directory);
    this.#durable = durable;
    this.#session = join(this.paths.tmp, ownedName());
  }

  /**
   * Makes missing folders, and checks that files can be written. `isNamed`: whether entries name files already, so that
   * the directory must exist.
   * @throws Refusal
   */
  async prepare(isNamed: () => Promise<boolean>): Promise<void> {
    const { directory, marker, collected, tmp, pins, trash } = this.paths;
    try {
      const isNew = (await layoutVersion(this.paths)) === undefined;
      if (isNew && (await isNamed())) throw notThere(directory);
      await makeDirectory(directory, this.#durable);
      if (isNew) await claim(this.paths, this.#durable);
      for (const folder of [tmp, pins, trash]) await makeDirectory(folder, this.#durable);
      await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
      this.#session = join(tmp, ownedName());
      await mkdir(this.#session);
      const probe = this.staged();
      await DESCRIPTORS.run(() => writeFile(probe, "", { flag: "wx" }));
      await rm(probe);
      await DESCRIPTORS.run(() => writeFile(collected, "", { flag: "a" }));
      await access(marker);
    } catch (error) {
      throw directoryFault(error, directory);
    }
  }

  /** Streams that are still being read keep their files until the next collection. */
  async close(): Promise<void> {
    await rmdir(this.#session).catch(() => undefined);
  }

  pathOf(name: string): string {
    return join(this.paths.directory, ...name.split("/"));
  }

  pin(): Pin {
    return new Pin(this.paths.pins);
  }

  /** Makes a file under a temporary name and runs `write` on it. Returns its path and the result of `write`. */
  async stage<T>(
    write: (handle: FileHandle) => Promise<T>,
  ): Promise<{ readonly path: string; readonly written: T }> {
    const path = this.staged();
    try {
      const written = await DESCRIPTORS.run(async () => {
        const handle = await DESCRIPTORS.open(path, "wx");
        try {
          const result = await write(handle);
          await this.#settle(handle);
          return result;
        } finally {
          await handle.close();
        }
      });
      return { path, written };
    } catch (error) {
      await this.unstage(path);
      throw error;
    }
  }

  /** The same for a caller that takes its time. The file must be finished, or closed and unstaged. */
  async stageSlowly(): Promise<{ readonly path: string; readonly file: OpenFile }> {
    const path = this.staged();
    const shelter = stagedFile(path, this.#durable);
    const file = await OpenFile.from(() => DESCRIPTORS.open(path, "wx"), shelter);
    if (file === undefined) throw new TypeError("a file that was made has no handle");
    return { path, file };
  }

  async finish(file: OpenFile): Promise<void> {
    if (this.#durable) await file.use((handle) => this.#settle(handle));
    await file.close();
  }

  /** Removes a staged file that is not needed after all. */
  async unstage(path: string): Promise<void> {
    await rm(path, { force: true }).catch(() => undefined);
  }

  /** A temporary path in this opening's own folder. */
  staged(): string {
    return join(this.#session, ownedName());
  }

  /** The path of a second name for a file, used by this opening only. */
  secondName(): string {
    return join(this.#session, secondName());
  }

  async #settle(handle: FileHandle): Promise<void> {
    if (this.#durable) await handle.sync();
  }

  /** Gives a finished file its name. A reader of that name finds the whole file. */
  async place(staged: string, name: string): Promise<void> {
    await this.#named(staged, this.pathOf(name), rename);
  }

  /** Gives a file its name back, unless a file of that name exists. Returns whether it did. */
  async putBack(from: string, name: string): Promise<boolean> {
    try {
      await this.#named(from, this.pathOf(name), link);
    } catch (error) {
      if (fsCode(error) === "EEXIST") return false;
      if (isMissing(error)) throw error;
      return this.#putBackWithoutLinks(from, name);
    }
    await rm(from, { force: true });
    return true;
  }

  /** Names a file, and makes the folder of the name if it is missing. */
  async #named(
    from: string,
    path: string,
    give: (from: string, path: string) => Promise<void>,
  ): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        if (attempt > 0) await makeDirectory(dirname(path), this.#durable);
        await give(from, path);
        break;
      } catch (error) {
        if (!isMissing(error) || attempt === ATTEMPTS) throw error;
        // Either the folder is missing, or the whole directory, which must not be made again.
        await stat(from);
      }
    }
    if (this.#durable) await syncDirectory(dirname(path));
  }

  /** For file systems without links. */
  async #putBackWithoutLinks(from: string, name: string): Promise<boolean> {
    const there = await stat(this.pathOf(name)).catch(() => undefined);
    if (there !== undefined) return false;
    await this.place(from, name);
    return true;
  }

  /** Within `DESCRIPTORS.run`: the file of this name, in place or in quarantine; `undefined`: there is none. */
  async openFile(name: string): Promise<FileHandle | undefined> {
    const path = this.pathOf(name);
    return (await opened(path)) ?? (await this.#openInTrash(name)) ?? (await opened(path));
  }

  async #openInTrash(name: string): Promise<FileHandle | undefined> {
    for (const folder of await this.trashFolders()) {
      const handle = await opened(join(this.paths.trash, folder, ...name.split("/")));
      if (handle !== undefined) return handle;
    }
    return undefined;
  }

  /**
   * @throws Refusal `KV_UNAVAILABLE` if the directory that was opened is gone: its disk was unmounted, or a restored copy
   *   has replaced it
   */
  async assertThere(): Promise<void> {
    const { directory, marker } = this.paths;
    try {
      await access(this.#session);
    } catch (error) {
      const isAnother =
        isMissing(error) &&
        (await access(marker).then(
          () => true,
          () => false,
        ));
      throw isAnother ? replaced(directory, error) : directoryFault(error, directory);
    }
  }

  async trashFolders(): Promise<string[]> {
    try {
      return await readdir(this.paths.trash);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  /** A name for a folder of files put in quarantine at that time. */
  newTrashFolder(now: number): string {
    return `${Math.floor(now)}-${randomBytes(6).toString("hex")}`;
  }

  /**
   * Returns a clock in milliseconds since 1970 that agrees with the times of files. Those may come from another machine,
   * and this machine's clock may be wrong, or be changed meanwhile.
   */
  async clock(): Promise<() => number> {
    const at = monotonicNow();
    const dated = await this.#dated();
    return () => dated + monotonicNow() - at;
  }

  /** The time that a file made now gets. */
  async #dated(): Promise<number> {
    const probe = this.staged();
    try {
      await DESCRIPTORS.run(() => writeFile(probe, "", { flag: "wx" }));
      return (await stat(probe)).mtimeMs;
    } catch (error) {
      // A full disk must not prevent a collection, which frees space.
      if (fsCode(error) === "ENOSPC" || fsCode(error) === "EDQUOT") return Date.now();
      throw error;
    } finally {
      await rm(probe, { force: true });
    }
  }

  /** Milliseconds since any process last collected; absolute, in case the clock was set back. */
  async sinceCollected(): Promise<number> {
    return Math.abs(Date.now() - (await stat(this.paths.collected)).mtimeMs);
  }

  async noteCollected(): Promise<void> {
    const now = new Date();
    await utimes(this.paths.collected, now, now);
  }
}

function replaced(directory: string, cause: unknown): Refusal {
  return new Refusal(
    "KV_UNAVAILABLE",
    `the directory ${directory} was replaced since the store was opened, by a restored copy or another disk; close the store, and open it again if this was intended`,
    { cause, retryable: false },
  );
}

function notThere(directory: string): Refusal {
  return new Refusal(
    "KV_UNAVAILABLE",
    `the index names files, but ${directory} does not contain this store's files. Mount the disk, or put the files back; if they are lost for good, delete their entries, or begin with another index`,
  );
}

async function opened(path: string): Promise<FileHandle | undefined> {
  try {
    return await DESCRIPTORS.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
