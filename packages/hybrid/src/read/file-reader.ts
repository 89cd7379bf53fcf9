import type { FileHandle } from "node:fs/promises";
import type { Refusal } from "@kv/core";
import { DESCRIPTORS } from "../directory/descriptors.ts";
import type { Directory } from "../directory/directory.ts";
import { hashed, readHashed } from "../directory/hashed-file.ts";
import { OpenFile } from "../directory/open-file.ts";
import { corruptFile, unreadableFile } from "../errors.ts";
import { decompressed } from "../stored/content.ts";
import type { Reference } from "../stored/reference.ts";
import { ReadFile } from "./read-file.ts";

/** Reads the files that references name. */
export class FileReader {
  readonly #directory: Directory;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /**
   * Opens the file of a reference, to be read piece by piece, and checks that it has the length it was written with;
   * `undefined`: it is missing. The length of a compressed file is not checked: another version of zlib may have written
   * other bytes of the same content under the same name.
   * @throws Refusal `KV_CORRUPT`, `KV_UNAVAILABLE`
   */
  async open(reference: Reference): Promise<OpenFile | undefined> {
    const shelter = new ReadFile(this.#directory, reference.file);
    return OpenFile.from(() => this.#opened(reference), shelter);
  }

  async #opened({ file, fileSize, gzip }: Reference): Promise<FileHandle | undefined> {
    let handle: FileHandle | undefined;
    try {
      handle = await this.#directory.openFile(file);
    } catch (error) {
      throw unreadableFile(file, error);
    }
    if (handle === undefined) {
      await this.#directory.assertThere();
      return undefined;
    }
    try {
      const found = await handle.stat();
      if (!found.isFile()) throw corruptFile(file, "is not a file any more");
      const { size } = found;
      if (gzip || size === fileSize) return handle;
      throw corruptFile(file, `has ${size} bytes instead of the ${fileSize} that were written`);
    } catch (error) {
      await handle.close();
      throw unreadableFile(file, error);
    }
  }

  /** The whole content of the file, checked. `undefined`: the file is missing. @throws Refusal as `open` does */
  read(reference: Reference): Promise<Uint8Array | undefined> {
    return DESCRIPTORS.run(() => this.#read(reference));
  }

  async #read(reference: Reference): Promise<Uint8Array | undefined> {
    const handle = await this.#opened(reference);
    if (handle === undefined) return undefined;
    const { file, fileSize, gzip, sha256, contentSize } = reference;
    try {
      const read = await readHashed(handle, gzip ? (await handle.stat()).size : fileSize);
      if (read === undefined) throw corruptFile(file, "was cut short while it was read");
      const content = gzip ? await unzipped(file, read.bytes, contentSize) : read.bytes;
      if ((gzip ? await hashed(content) : read.sha256) !== sha256) throw altered(file);
      return content;
    } catch (error) {
      throw unreadableFile(file, error);
    } finally {
      await handle.close();
    }
  }
}

/** The refusal for a file whose content is not what was written. */
export function altered(file: string, cause?: unknown): Refusal {
  return corruptFile(file, "was altered since it was written", cause);
}

async function unzipped(file: string, bytes: Uint8Array, size: number): Promise<Uint8Array> {
  try {
    return await decompressed(bytes, size);
  } catch (error) {
    throw altered(file, error);
  }
}
