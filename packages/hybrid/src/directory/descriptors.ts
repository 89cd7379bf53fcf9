import { readFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { delay } from "@kv/core";
import { fsCode } from "../errors.ts";
import { Turns } from "../turns.ts";

/** Assumed as the process's limit if the system does not report it: the lowest common default. */
const COMMON_LIMIT = 256;
/** The most files in use at a time: more than there are threads that read and write. */
const IN_USE = 16;
/** The most files that are open and not in use. */
const IDLE = 1024;
/** Milliseconds between two attempts, and the number of attempts, while the rest of the process has too many files open. */
const RETRY_MS = 25;
const RETRIES = 20;

/** An open file that may be closed until it is used again. */
export interface Idle {
  /** Never rejects. */
  park(): Promise<void>;
}

/**
 * The files that all hybrid stores of this process have open. The system allows a process only so many, and one that has
 * too many fails in its next operation. So one bound covers everything: `run` for work that opens, uses and closes a file,
 * and `OpenFile` for a file that stays open as long as a caller likes.
 *
 * Work in `run` waits only for the disk, never for a caller or another `run`, so every turn comes.
 */
export class Descriptors {
  readonly #turns: Turns;
  readonly #mostIdle: number;
  /** The file used longest ago comes first. */
  readonly #idle = new Set<Idle>();

  /** @param limit The number of files that the process may have open. */
  constructor(limit: number = processLimit()) {
    this.#turns = new Turns(Math.max(2, Math.min(IN_USE, Math.floor(limit / 16))));
    this.#mostIdle = Math.max(2, Math.min(IDLE, Math.floor(limit / 4)));
  }

  /** Runs the work when its turn comes. It has one file open at a time. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#turns.begin();
    try {
      return await work();
    } finally {
      this.#turns.end();
    }
  }

  /** Within `run`: opens a file. If too many are open, closes idle files and tries again. */
  async open(path: string, flags: string | number): Promise<FileHandle> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await open(path, flags);
      } catch (error) {
        const code = fsCode(error);
        if ((code !== "EMFILE" && code !== "ENFILE") || attempt > RETRIES) throw error;
        await this.#trim(0);
        await delay(RETRY_MS);
      }
    }
  }

  /** Within `run`: the file is open and not in use now. `undefined`: there is nothing to wait for. */
  rest(file: Idle): Promise<void> | undefined {
    this.#idle.add(file);
    return this.#idle.size > this.#mostIdle ? this.#trim(this.#mostIdle) : undefined;
  }

  /** The file is in use, or was closed for good. */
  wake(file: Idle): void {
    this.#idle.delete(file);
  }

  async #trim(most: number): Promise<void> {
    for (const file of this.#idle) {
      if (this.#idle.size <= most) return;
      this.#idle.delete(file);
      await file.park();
    }
  }
}

/** One for the process, because all its stores count against the same limit. */
export const DESCRIPTORS: Descriptors = new Descriptors();

function processLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? COMMON_LIMIT : Number(soft);
  } catch {
    return COMMON_LIMIT;
  }
}
