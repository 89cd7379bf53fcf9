import { closeSync, fstatSync, linkSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { isError, type Refusal } from "@kv/core";
import { type FileId, fileIdAt, fileIdOf } from "../connection/file-id.ts";
import { type Holder, holderState, temporaryOf, thisHolder } from "./holder.ts";

/**
 * The file that names this process as a holder. It is kept open, which shows other processes and threads that the holder is
 * alive and still holds the database.
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
   * Writes it, unless the state of an existing file's holder is unknown: that file is left, and LevelDB's own lock decides.
   * @throws the result of `refuse` for another holder
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
        // Another opener came between, or tidied up: its file decides.
        if (code === "EEXIST" || code === "ENOENT") {
          const other = holderState(this.#file);
          if (other.is === "holds") throw refuse(other.holder);
          return;
        }
        // The file system has no hard links.
        renameSync(temporary, this.#file);
      }
    });
  }

  /** Rewrites it if it was deleted or replaced. Best effort: the next call tries again. */
  readonly keep = (): undefined => {
    try {
      if (!this.#isWritten()) this.#write((temporary) => renameSync(temporary, this.#file));
    } catch {
      // The database is not affected.
    }
  };

  /** Removes it, if it is this store's. */
  release(): void {
    try {
      if (this.#written !== undefined && fileIdAt(this.#file) === this.#written)
        rmSync(this.#file, { force: true });
    } catch {
      // The next opener will find that no process has it open.
    }
    this.#forget();
  }

  /** Whether it is the file that this store wrote, unaltered. */
  #isWritten(): boolean {
    const found = statSync(this.#file, { bigint: true, throwIfNoEntry: false });
    return found !== undefined && fileIdOf(found) === this.#written && found.mtimeNs === this.#writtenAt;
  }

  /** Writes under another name first, so that a file of this name is always whole. */
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
