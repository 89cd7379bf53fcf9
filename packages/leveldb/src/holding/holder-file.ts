import { closeSync, fstatSync, linkSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { isError, type Refusal } from "@kv/core";
import { type FileId, fileIdAt, fileIdOf } from "../connection/file-id.ts";
import { type Holder, holderState, temporaryOf, thisHolder } from "./holder.ts";

/**
 * The file that names this process as a holder. It is kept open: by that other processes and threads know that the holder
 * lives, and holds it still.
 */
export class HolderFile {
  readonly #file: string;
  #descriptor: number | undefined;
  #written: FileId | undefined;
  #writtenAt: bigint | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Writes it, unless its holder cannot be judged from here: that file is left for whatever decides then.
   * @throws what `refuse` makes of another holder
   */
  claim(refuse: (holder: Holder) => Refusal): void {
    const state = holderState(this.#file);
    if (state.is === "holds") throw refuse(state.holder);
    if (state.is === "unknown") return;
    if (state.is === "gone") rmSync(this.#file, { force: true });
    this.#write((temporary) => {
      try {
        linkSync(temporary, this.#file);
      } catch (error) {
        const code = isError(error) && "code" in error ? error.code : undefined;
        // Another opener came between, or tidied up: it is asked instead.
        if (code === "EEXIST" || code === "ENOENT") {
          const other = holderState(this.#file);
          if (other.is === "holds") throw refuse(other.holder);
          return;
        }
        // A file system without links.
        renameSync(temporary, this.#file);
      }
    });
  }

  /** Writes it anew where it was deleted, or is another's. Best effort: tried again by the next call. */
  readonly keep = (): undefined => {
    try {
      if (!this.#isWritten()) this.#write((temporary) => renameSync(temporary, this.#file));
    } catch {
      // The database is as well as it was.
    }
  };

  /** Takes it away, if it is this store's. */
  release(): void {
    try {
      if (this.#written !== undefined && fileIdAt(this.#file) === this.#written)
        rmSync(this.#file, { force: true });
    } catch {
      // Then the next opener finds that no process has it open.
    }
    this.#forget();
  }

  /** Whether it is the file that this store wrote, and says what it wrote. */
  #isWritten(): boolean {
    const found = statSync(this.#file, { bigint: true, throwIfNoEntry: false });
    return found !== undefined && fileIdOf(found) === this.#written && found.mtimeNs === this.#writtenAt;
  }

  /** Under another name first, so that a file of this name is always whole. */
  #write(give: (temporary: string) => void): void {
    this.#forget();
    const temporary = temporaryOf(this.#file);
    const descriptor = openSync(temporary, "wx");
    this.#descriptor = descriptor;
    try {
      writeSync(descriptor, `${JSON.stringify(thisHolder())}\n`);
      const written = fstatSync(descriptor, { bigint: true });
      this.#written = fileIdOf(written);
      this.#writtenAt = written.mtimeNs;
      give(temporary);
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  #forget(): void {
    this.#written = undefined;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
