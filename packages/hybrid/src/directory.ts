import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import {
  access,
  type FileHandle,
  link,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { Refusal } from "@kv/core";
import { DESCRIPTORS } from "./descriptors.ts";
import { makeDirectory, syncDirectory } from "./durable.ts";
import { directoryFault, fsCode, isMissing } from "./errors.ts";
import { FILE_FOLDERS, LAYOUT_VERSION, type Paths, pathsOf } from "./layout.ts";
import { OpenFile } from "./open-file.ts";
import { ownedName } from "./owner.ts";
import { Pin } from "./pins.ts";
import { stagedFile } from "./shelters.ts";

/** A folder that a collector empties may vanish between its making and its use; that often in a row it will not. */
const ATTEMPTS = 10;

/** The directory of files, as those who write and read them see it. */
export class Directory {
  readonly paths: Paths;
  readonly #durable: boolean;

  constructor(directory: string, durable: boolean) {
    this.paths = pathsOf(directory);
    this.#durable = durable;
  }

  /**
   * Makes what is missing, and sees whether files can be written. `isNamed`: whether entries name files already, so that
   * the directory must have been there.
   * @throws Refusal
   */
  async prepare(isNamed: () => Promise<boolean>): Promise<void> {
    const { directory, marker, collected, tmp, pins, trash } = this.paths;
    try {
      const isNew = (await this.#version()) === undefined;
      if (isNew && (await isNamed())) throw notThere(directory);
      await makeDirectory(directory, this.#durable);
      if (isNew) await this.#claim();
      for (const folder of [tmp, pins, trash]) await makeDirectory(folder, this.#durable);
      await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
      const probe = join(tmp, ownedName());
      await DESCRIPTORS.run(() => writeFile(probe, "", { flag: "wx" }));
      await rm(probe);
      await DESCRIPTORS.run(() => writeFile(collected, "", { flag: "a" }));
      await access(marker);
    } catch (error) {
      throw directoryFault(error, directory);
    }
  }

  /** Of the layout that is there; `undefined`: the directory is not one of ours yet. */
  async #version(): Promise<number | undefined> {
    const { directory, marker } = this.paths;
    let text: string;
    try {
      text = await DESCRIPTORS.run(() => readFile(marker, "utf8"));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    const version = versionIn(text);
    if (version === undefined) {
      throw new Refusal("KV_CORRUPT", `${marker} is damaged; it should hold {"version":${LAYOUT_VERSION}}`);
    }
    if (version > LAYOUT_VERSION) {
      const message = `${directory} has files of layout ${version}, and this version of @kv/hybrid knows ${LAYOUT_VERSION}; install a newer one`;
      throw new Refusal("KV_UNSUPPORTED", message);
    }
    return version;
  }

  /** Where files of somebody else have our folders' names, collecting would remove them. */
  async #claim(): Promise<void> {
    const { directory, marker } = this.paths;
    const foreign = (await readdir(directory)).find((name) =>
      FILE_FOLDERS.some((folder) => folder === name.toLowerCase()),
    );
    if (foreign !== undefined) {
      // Unless another process was faster.
      if ((await this.#version()) !== undefined) return;
      const message = `${directory} holds a ${foreign}/ that is none of this store's; choose another directory`;
      throw new Refusal("KV_INVALID_OPTION", message);
    }
    await makeDirectory(dirname(marker), this.#durable);
    const staged = join(dirname(marker), ownedName());
    const text = `${JSON.stringify({ version: LAYOUT_VERSION })}\n`;
    await DESCRIPTORS.run(() => writeFile(staged, text, { flush: this.#durable }));
    await rename(staged, marker);
    if (this.#durable) await syncDirectory(dirname(marker));
  }

  pathOf(name: string): string {
    return join(this.paths.directory, ...name.split("/"));
  }

  pin(): Pin {
    return new Pin(this.paths.pins);
  }

  /** A new file under a name for the time being, which `write` writes; → its path and what `write` says. */
  async stage<T>(
    write: (handle: FileHandle) => Promise<T>,
  ): Promise<{ readonly path: string; readonly written: T }> {
    const path = this.#staged();
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

  /** The same for what takes as long as a caller likes: to be finished, or closed and unstaged. */
  async stageSlowly(): Promise<{ readonly path: string; readonly file: OpenFile }> {
    const path = this.#staged();
    const shelter = stagedFile(path, this.#durable);
    const file = await OpenFile.from(() => DESCRIPTORS.open(path, "wx"), shelter);
    if (file === undefined) throw new TypeError("a file that was made has no handle");
    return { path, file };
  }

  async finish(file: OpenFile): Promise<void> {
    if (this.#durable) await file.use((handle) => this.#settle(handle));
    await file.close();
  }

  /** Removes what was staged, and is not to be placed after all. */
  async unstage(path: string): Promise<void> {
    await rm(path, { force: true }).catch(() => undefined);
  }

  #staged(): string {
    return join(this.paths.tmp, ownedName());
  }

  async #settle(handle: FileHandle): Promise<void> {
    if (this.#durable) await handle.sync();
  }

  /** Gives a finished file its name. Whoever reads that name finds all of it. */
  async place(staged: string, name: string): Promise<void> {
    await this.#named(staged, this.pathOf(name), rename);
  }

  /** Gives a file its name back, unless there is one of that name, → whether it did. */
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

  /** Makes the folder of the name where it is missing. */
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
        // Either the folder is missing or the whole directory is gone, which is not to be made again.
        await stat(from);
      }
    }
    if (this.#durable) await syncDirectory(dirname(path));
  }

  /** On file systems that have no links. */
  async #putBackWithoutLinks(from: string, name: string): Promise<boolean> {
    const there = await stat(this.pathOf(name)).catch(() => undefined);
    if (there !== undefined) return false;
    await this.place(from, name);
    return true;
  }

  /** Within `DESCRIPTORS.run`: the file of this name, wherever it is; `undefined`: there is none. */
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

  /** @throws Refusal `KV_UNAVAILABLE` where the directory is not there any more, a disk that is not mounted for example */
  async assertThere(): Promise<void> {
    try {
      await access(this.paths.marker);
    } catch (error) {
      throw directoryFault(error, this.paths.directory);
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

  /** A folder for what is put in quarantine now. */
  newTrashFolder(): string {
    return `${Date.now()}-${randomBytes(6).toString("hex")}`;
  }

  /** Milliseconds since somebody last collected. */
  async sinceCollected(): Promise<number> {
    return Date.now() - (await stat(this.paths.collected)).mtimeMs;
  }

  async noteCollected(): Promise<void> {
    const now = new Date();
    await utimes(this.paths.collected, now, now);
  }
}

function notThere(directory: string): Refusal {
  return new Refusal(
    "KV_UNAVAILABLE",
    `the index names files, and ${directory} is no directory of this store's: mount the disk, or put the files back; if they are lost for good, delete their entries, or begin with another index`,
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

function versionIn(text: string): number | undefined {
  try {
    const { version } = JSON.parse(text) as { version?: unknown };
    return Number.isSafeInteger(version) ? Number(version) : undefined;
  } catch {
    return undefined;
  }
}
