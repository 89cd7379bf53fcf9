import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../errors.ts";
import { DESCRIPTORS } from "./descriptors.ts";
import { type GracePeriods, isHeld, ownedName } from "./owner.ts";

/** A line of a pin that its process will not come back to. No file is called so. */
const LEFT = "left";
/** A line of a pin that holds all files there are. No file is called so. */
export const ALL = "all";

/** Holds files, by name, until the commit that refers to them is made: see `layout.ts`. */
export class Pin {
  readonly #path: string;

  /** Holds nothing yet. */
  constructor(folder: string) {
    this.#path = join(folder, ownedName());
  }

  /** Before the file is put there. */
  async add(name: string): Promise<void> {
    await this.#write(name);
  }

  /** All files there are, for a backup. To be renewed now and then: another machine goes by the age of a pin. */
  async addAll(): Promise<void> {
    await this.#write(ALL);
  }

  /** The commit was made, or certainly was not. */
  async release(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  /** It is not known whether the commit was made or will be: the pin stays, for no process, until it has aged. */
  async leave(): Promise<void> {
    // Under its name: a collector that has listed it must find it.
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
 * The names that are pinned, and `ALL`; pins that nobody holds are removed. A pin that is still being written may be read in part:
 * what is missing from it has not been put there yet, and will be after this.
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
      // Released meanwhile; its commit was made before what the index is asked next.
      if (!isMissing(error)) throw error;
    }
  }
  return names;
}
