import { type FileHandle, link, rm } from "node:fs/promises";
import { Refusal } from "@kv/core";
import { DESCRIPTORS } from "../directory/descriptors.ts";
import type { Directory } from "../directory/directory.ts";
import type { Shelter } from "../directory/open-file.ts";
import { isMissing } from "../errors.ts";

/**
 * For a file that a stream reads. While it is closed, its entry may be replaced and the file be collected, so it gets a
 * second name of the stream's own.
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
      // A missing file is in quarantine, or gone. On a file system without links, the file is found again by its name.
      return !isMissing(error);
    }
  }

  async reopen(): Promise<FileHandle> {
    if (this.#own !== undefined) return DESCRIPTORS.open(this.#own, "r");
    const handle = await this.#directory.openFile(this.#name);
    if (handle !== undefined) return handle;
    const message = `the entry was replaced while its stream was paused, and its file ${this.#name} was collected; begin the stream again`;
    throw new Refusal("KV_UNAVAILABLE", message);
  }

  async leave(): Promise<void> {
    if (this.#own !== undefined) await rm(this.#own, { force: true }).catch(() => undefined);
  }
}
