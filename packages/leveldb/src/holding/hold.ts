import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type FileId, fileIdAt } from "../connection/file-id.ts";
import { type Holder, held, holderFile, holderState, isSharedHolder, isTemporary } from "./holder.ts";
import { HolderFile } from "./holder-file.ts";
import { lockOwner } from "./lock-owner.ts";
import { isRegistered, registerFile } from "./register.ts";

/**
 * A directory held for one store. LevelDB's own lock is not enough: POSIX frees a process's lock on a file when the process
 * closes *any* descriptor of that file. A second opener in the same process, or the process copying the directory, would
 * free it, and the next process would be let in.
 *
 * So before LevelDB may touch its lock, three sources are checked: the register of this thread, the files that name holders
 * (see `holder.ts`), and the system's list of locks, if it has one. The directory is identified by its inode, so that links
 * and mounts lead to the same place.
 */
export class Hold {
  readonly #path: string;
  readonly #file: HolderFile;
  readonly #ends: (() => void)[] = [];

  /** @throws Refusal `KV_UNAVAILABLE` if another store holds it */
  static take(path: string): Hold {
    const hold = new Hold(path);
    const directory = fileIdAt(path);
    if (directory === undefined) throw new Error(`no such directory: ${path}`);
    const refuse = (holder: Pick<Holder, "pid">) => held(undefined, path, holder);
    if (isTaken(path, directory)) throw refuse({ pid: process.pid });
    for (const name of readdirSync(path).filter(isSharedHolder)) {
      const state = holderState(join(path, name));
      if (state.is === "holds") throw refuse(state.holder);
    }
    hold.#ends.push(registerFile(directory));
    try {
      hold.#file.claim(refuse);
      return hold;
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  private constructor(path: string) {
    this.#path = path;
    this.#file = new HolderFile(holderFile(path));
  }

  /** Called once LevelDB has its lock: this store holds the directory, whatever the holder file says. */
  confirm(): void {
    const lock = fileIdAt(join(this.#path, "LOCK"));
    if (lock !== undefined) this.#ends.push(registerFile(lock));
    this.keep();
    this.#tidy();
  }

  /** Ensures that the holder file exists. */
  readonly keep = (): undefined => this.#file.keep();

  /** Removes this store's marks on the directory, and none of another store. */
  release(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#file.release();
  }

  /** Removes files that killed openers left behind. */
  #tidy(): void {
    try {
      for (const name of readdirSync(this.#path))
        if (isTemporary(name) || isSharedHolder(name)) rmSync(join(this.#path, name), { force: true });
    } catch {
      // They do not hinder any opener.
    }
  }
}

/** Whether this process has it open: by a store of this thread, by hard links to its files, or as a database of `level`. */
function isTaken(path: string, directory: FileId): boolean {
  if (isRegistered(directory)) return true;
  const file = join(path, "LOCK");
  const lock = fileIdAt(file);
  return lock !== undefined && (isRegistered(lock) || lockOwner(file) === process.pid);
}
