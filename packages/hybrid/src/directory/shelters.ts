import { type FileHandle, link, rm } from "node:fs/promises";
import { Refusal } from "@kv/core";
import { isMissing } from "../errors.ts";
import { DESCRIPTORS } from "./descriptors.ts";
import type { Directory } from "./directory.ts";
import type { Shelter } from "./open-file.ts";

/** For a file that is being written under a name of its own. `durable`: what was written is on the disk before it is closed. */
export function stagedFile(path: string, durable: boolean): Shelter {
  return {
    async prepare(handle) {
      // An error of writing it to the disk is told to those who have it open.
      if (durable) await handle.sync();
      return true;
    },
    reopen: () => DESCRIPTORS.open(path, "r+"),
    leave: async () => undefined,
  };
}

/**
 * For a file that a stream reads. Its entry may be replaced, and the file be collected, while it is closed; so it gets a
 * second name, which is the stream's own.
 */
export class ReadFile implements Shelter {
  readonly #directory: Directory;
  readonly #name: string;
  #own: string | undefined;

  constructor(directory: Directory, name: string) {
    this.#directory = directory;
    this.#name = name;
  }

  async prepare(): Promise<boolean> {
    if (this.#own !== undefined) return true;
    const own = this.#directory.secondName();
    try {
      await link(this.#directory.pathOf(this.#name), own);
      this.#own = own;
      return true;
    } catch (error) {
      // It is in quarantine, or gone. Where the file system has no links, it is looked for by its name.
      return !isMissing(error);
    }
  }

  async reopen(): Promise<FileHandle> {
    if (this.#own !== undefined) return DESCRIPTORS.open(this.#own, "r");
    const handle = await this.#directory.openFile(this.#name);
    if (handle !== undefined) return handle;
    const message = `the entry was replaced while its stream stood still, and the file ${this.#name} was collected; begin the stream again`;
    throw new Refusal("KV_UNAVAILABLE", message);
  }

  async leave(): Promise<void> {
    if (this.#own !== undefined) await rm(this.#own, { force: true }).catch(() => undefined);
  }
}
