import {
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { isError } from "@kv/core";
import { held } from "./errors.ts";
import { type FileId, fileIdAt, fileIdOf } from "./file-id.ts";
import { holderFile, holderState, isTemporary, temporaryOf, thisHolder } from "./holder.ts";
import { lockOwner } from "./lock-owner.ts";
import { isRegistered, registerFile } from "./register.ts";

/**
 * A directory taken for one store, beside LevelDB's own lock, which is not enough: POSIX frees a process's lock on a file
 * when the process closes *any* descriptor of that file. A second opener of the same process, a copy of the directory
 * made by the process, each would do so, and the next process would be let in.
 *
 * So before LevelDB may touch its lock, three are asked: the register of this thread, the file that names the holder (see
 * `holder.ts`), and the system's list of locks, where there is one. The directory is told by its inode, so that links and
 * mounts lead to the same place.
 */
export class Hold {
  readonly path: string;
  readonly #ends: (() => void)[] = [];
  /** The holder file, kept open: by that other processes and threads know that this one lives, and holds it still. */
  #descriptor: number | undefined;
  #written: FileId | undefined;
  #writtenAt: bigint | undefined;

  /** @throws Refusal `KV_UNAVAILABLE` where another store has it */
  static take(path: string): Hold {
    const hold = new Hold(path);
    const directory = fileIdAt(path);
    if (directory === undefined) throw new Error(`no such directory: ${path}`);
    refuseHeld(path, directory);
    hold.#ends.push(registerFile(directory));
    try {
      hold.#claim();
      return hold;
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  private constructor(path: string) {
    this.path = path;
  }

  /** Leaves a holder that cannot be judged from here alone: then LevelDB's lock decides. */
  #claim(): void {
    const state = holderState(this.path);
    if (state.is === "holds") throw held(undefined, this.path, state.holder);
    if (state.is === "unknown") return;
    if (state.is === "gone") rmSync(holderFile(this.path), { force: true });
    this.#write((temporary, file) => {
      try {
        linkSync(temporary, file);
      } catch (error) {
        const code = isError(error) && "code" in error ? error.code : undefined;
        // Another opener came between, or has the lock by now and tidied up: it is asked instead, or else LevelDB's lock.
        if (code === "EEXIST" || code === "ENOENT") {
          const other = holderState(this.path);
          if (other.is === "holds") throw held(undefined, this.path, other.holder);
          return;
        }
        // A file system without links.
        renameSync(temporary, file);
      }
    });
  }

  /** LevelDB has its lock: whatever the holder file says, it is this store that holds the directory. */
  confirm(): void {
    const lock = fileIdAt(join(this.path, "LOCK"));
    if (lock !== undefined) this.#ends.push(registerFile(lock));
    this.keep();
    this.#tidy();
  }

  /** Removes what openers left behind that were killed while they wrote. */
  #tidy(): void {
    try {
      for (const name of readdirSync(this.path))
        if (isTemporary(name)) rmSync(join(this.path, name), { force: true });
    } catch {
      // They are in nobody's way.
    }
  }

  /** Writes the holder file anew where it was deleted, or is another's. Best effort: LevelDB's lock is there, too. */
  readonly keep = (): undefined => {
    try {
      if (!this.#isWritten()) this.#write(renameSync);
    } catch {
      // Tried again by the next look.
    }
  };

  /** Whether the holder file is the one that this store wrote, and says what it wrote. */
  #isWritten(): boolean {
    const found = statSync(holderFile(this.path), { bigint: true, throwIfNoEntry: false });
    return found !== undefined && fileIdOf(found) === this.#written && found.mtimeNs === this.#writtenAt;
  }

  /** Takes away what says that the directory is held. Nothing of another store's. */
  release(): void {
    for (const end of this.#ends.splice(0)) end();
    try {
      const file = holderFile(this.path);
      if (this.#written !== undefined && fileIdAt(file) === this.#written) rmSync(file, { force: true });
    } catch {
      // Then the next opener finds that nobody has it open.
    }
    this.#forget();
  }

  /** Under another name first, so that a file of that name is always whole. */
  #write(give: (temporary: string, file: string) => void): void {
    this.#forget();
    const file = holderFile(this.path);
    const temporary = temporaryOf(file);
    const descriptor = openSync(temporary, "wx");
    this.#descriptor = descriptor;
    try {
      writeSync(descriptor, `${JSON.stringify(thisHolder())}\n`);
      const written = fstatSync(descriptor, { bigint: true });
      this.#written = fileIdOf(written);
      this.#writtenAt = written.mtimeNs;
      give(temporary, file);
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

function refuseHeld(path: string, directory: FileId): void {
  const here = { pid: process.pid };
  if (isRegistered(directory)) throw held(undefined, path, here);
  const file = join(path, "LOCK");
  const lock = fileIdAt(file);
  if (lock === undefined) return;
  // A database of `level` that the caller opened, or hard links to the files of one that is open.
  if (isRegistered(lock) || lockOwner(file) === process.pid) throw held(undefined, path, here);
}
