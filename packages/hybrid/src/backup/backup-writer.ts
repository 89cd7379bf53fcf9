import { constants } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { backgroundInterval, Refusal } from "@kv/core";
import { concurrently } from "../concurrently.ts";
import { DESCRIPTORS } from "../directory/descriptors.ts";
import type { Directory } from "../directory/directory.ts";
import { makeDirectory, syncDirectory } from "../directory/durable.ts";
import { listedFiles } from "../directory/file-listing.ts";
import { pathsOf } from "../directory/layout.ts";
import { mark } from "../directory/marker.ts";
import { directoryFault, isMissing } from "../errors.ts";

export interface BackupReport {
  /** Files copied. */
  readonly files: number;
  /** Their bytes. */
  readonly bytes: number;
}

export interface BackupPlan {
  /** Copies the index. */
  readonly index: () => Promise<unknown>;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (report: BackupReport) => void;
}

/** The most files copied at a time. */
const AT_ONCE = 4;
/** Milliseconds between two renewals of the pin on all files. */
const RENEWED_MS = 60_000;

/** Copies all files into another directory. */
export class BackupWriter {
  readonly #directory: Directory;
  /** Milliseconds. */
  readonly #grace: number;

  constructor(directory: Directory, grace: number) {
    this.#directory = directory;
    this.#grace = grace;
  }

  /**
   * Copies the index, then the files. No process collects files from before the copy of the index until all files are
   * copied, so every file that the copied index names is still there.
   */
  async write(path: string, plan: BackupPlan): Promise<BackupReport> {
    const target = resolve(path);
    const partial = `${target}.partial-${crypto.randomUUID()}`;
    await this.#directory.assertThere();
    const hold = this.#directory.pin();
    const renewed = Math.min(RENEWED_MS, this.#grace / 4);
    const stop = backgroundInterval(() => void hold.addAll().catch(() => undefined), Math.max(renewed, 10));
    try {
      await this.#ready(target);
      if (plan.signal?.aborted) throw aborted(plan.signal);
      await hold.addAll();
      await plan.index();
      await makeDirectory(partial, false);
      const report = await this.#copyAll(partial, plan);
      // Last, so that the remains of a killed backup are not mistaken for a store.
      await mark(pathsOf(partial), true);
      await this.#directory.assertThere();
      await this.#ready(target);
      await rmdir(target).catch(() => undefined);
      await rename(partial, target);
      await syncDirectory(dirname(target));
      return report;
    } catch (error) {
      await rm(partial, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    } finally {
      stop();
      await hold.release().catch(() => undefined);
    }
  }

  /** @throws Refusal if something exists at the path */
  async #ready(target: string): Promise<void> {
    let found: string[];
    try {
      found = await readdir(target);
    } catch (error) {
      if (isMissing(error)) return;
      throw directoryFault(error, target);
    }
    if (found.length === 0) return;
    throw new Refusal(
      "KV_INVALID_OPTION",
      `${target} holds files already; name a directory that does not exist`,
    );
  }

  async #copyAll(to: string, { signal, onProgress }: BackupPlan): Promise<BackupReport> {
    const { directory } = this.#directory.paths;
    let report: BackupReport = { files: 0, bytes: 0 };
    const copied = new Set<string>();
    const folders = new Set<string>();
    const copyFrom = async (root: string): Promise<void> => {
      let batch: string[] = [];
      const flush = async (): Promise<void> => {
        if (signal?.aborted) throw aborted(signal);
        const sizes = await concurrently(batch, AT_ONCE, async (name) => {
          const bytes = await this.#copy(join(root, name), join(to, name), folders);
          if (bytes !== undefined) copied.add(name);
          return bytes;
        });
        batch = [];
        for (const bytes of sizes)
          if (bytes !== undefined) report = { files: report.files + 1, bytes: report.bytes + bytes };
        onProgress(report);
      };
      if (signal?.aborted) throw aborted(signal);
      for await (const { name } of listedFiles(root)) {
        if (copied.has(name)) continue;
        batch.push(name);
        if (batch.length >= AT_ONCE * 16) await flush();
      }
      await flush();
    };
    // A file that an earlier collection moves meanwhile, in either direction, is found in one of the three places.
    await copyFrom(directory);
    for (const folder of await this.#directory.trashFolders())
      await copyFrom(join(this.#directory.paths.trash, folder));
    await copyFrom(directory);
    for (const folder of folders) await syncDirectory(folder);
    return report;
  }

  /** Returns the bytes copied; `undefined`: the file has been moved. */
  async #copy(from: string, to: string, folders: Set<string>): Promise<number | undefined> {
    if (!folders.has(dirname(to))) {
      await mkdir(dirname(to), { recursive: true });
      folders.add(dirname(to));
    }
    try {
      return await DESCRIPTORS.run(async () => {
        await copyFile(from, to, constants.COPYFILE_FICLONE);
        const handle = await DESCRIPTORS.open(to, "r+");
        try {
          await handle.sync();
        } finally {
          await handle.close();
        }
        return (await stat(to)).size;
      });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}

function aborted(signal: AbortSignal): Refusal {
  return new Refusal("KV_ABORTED", "the signal was aborted; nothing is left of the backup", {
    cause: signal.reason,
  });
}
