import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type FileId, fileIdAt } from "../connection/file-id.ts";
import { type Holder, held, holderFile, holderState, isSharedHolder, isTemporary } from "./holder.ts";
import { HolderFile } from "./holder-file.ts";
import { lockOwner } from "./lock-owner.ts";
import { isRegistered, registerFile } from "./register.ts";

/**
 * A directory taken for one store, beside LevelDB's own lock, which is not enough: POSIX frees a process's lock on a file
 * when the process closes *any* descriptor of that file. A second opener of the same process, a copy of the directory
 * made by the process, each would do so, and the next process would be let in.
 *
 * So before LevelDB may touch its lock, three are asked: the register of this thread, the files that name holders (see
 * `holder.ts`), and the system's list of locks, where there is one. The directory is told by its inode, so that links and
 * mounts lead to the same place.
 */
export class Hold {
  readonly #path: string;
  readonly #file: HolderFile;
  readonly #ends: (() => void)[] = [];

  /** @throws Refusal `KV_UNAVAILABLE` where another store has it */
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

  /** LevelDB has its lock: whatever the holder file says, it is this store that holds the directory. */
  confirm(): void {
    const lock = fileIdAt(join(this.#path, "LOCK"));
    if (lock !== undefined) this.#ends.push(registerFile(lock));
    this.keep();
    this.#tidy();
  }

  /** Sees to it that the holder file is there. */
  readonly keep = (): undefined => this.#file.keep();

  /** Takes away what says that the directory is held. Nothing of another store's. */
  release(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#file.release();
  }

  /** Removes what openers left behind that were killed. */
  #tidy(): void {
    try {
      for (const name of readdirSync(this.#path))
        if (isTemporary(name) || isSharedHolder(name)) rmSync(join(this.#path, name), { force: true });
    } catch {
      // They are in no opener's way.
    }
  }
}

/** Whether this process has it open: a store of this thread, hard links to its files, or a database of `level`. */
function isTaken(path: string, directory: FileId): boolean {
  if (isRegistered(directory)) return true;
  const file = join(path, "LOCK");
  const lock = fileIdAt(file);
  return lock !== undefined && (isRegistered(lock) || lockOwner(file) === process.pid);
}
