import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../errors.ts";
import { DESCRIPTORS } from "./descriptors.ts";
import { type GracePeriods, isHeld, ownedName } from "./owner.ts";

/** A line of a pin that its process has abandoned. No file has this name. */
const LEFT = "left";
/** A line of a pin that holds all files. No file has this name. */
export const ALL = "all";

/** Keeps files, by name, from being collected until the commit that refers to them is made: see `layout.ts`. */
export class Pin {
  readonly #path: string;

  /** Holds nothing yet. */
  constructor(folder: string) {
    this.#path = join(folder, ownedName());
  }

  /** Called before the file is put in its place. */
  async add(name: string): Promise<void> {
    await this.#write(name);
  }

  /** Holds all files, for a backup. Must be renewed now and then, because another machine goes by the age of a pin. */
  async addAll(): Promise<void> {
    await this.#write(ALL);
  }

  /** Called when the commit was made, or certainly was not. */
  async release(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  /** Called when the commit's outcome is unknown: the pin stays, no longer tied to its process, until it has aged. */
  async leave(): Promise<void> {
    // Written to the same file, because a collector that has listed it must find it.
    await this.#write(LEFT);
  }

  /** Opened for each line: commits of many namespaces wait for their index at the same time, each with a pin. */
  async #write(line: string): Promise<void> {
    await DESCRIPTORS.run(async () => {
      const handle = await DESCRIPTORS.open(this.#path, "a");
      try {
        await handle.write(`${line}\n`);
      } finally {
        await handle.close();
      }
    });
  }
}

/**
 * The pinned names, and `ALL`. Pins that are not held any more are removed. A pin that is still being written may be read
 * in part: the files missing from it have not been put in their places yet.
 */
export async function pinnedNames(
  folder: string,
  periods: GracePeriods,
  now: () => number,
): Promise<Set<string>> {
  const names = new Set<string>();
  for (const pin of await readdir(folder)) {
    const path = join(folder, pin);
    try {
      const { mtimeMs } = await stat(path);
      const text = await DESCRIPTORS.run(() => readFile(path, "utf8"));
      const lines = text.split("\n");
      const age = now() - mtimeMs;
      if (lines.includes(LEFT) ? age < periods.elsewhere : isHeld(pin, age, periods))
        for (const line of lines) names.add(line);
      else await rm(path, { force: true });
    } catch (error) {
      // Released meanwhile: its commit was made before the index is read next.
      if (!isMissing(error)) throw error;
    }
  }
  return names;
}
