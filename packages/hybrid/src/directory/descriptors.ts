import { readFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { delay } from "@kv/core";
import { fsCode } from "../errors.ts";
import { Turns } from "../turns.ts";

/** Taken for the process's limit where the system does not say: the least that is common. */
const COMMON_LIMIT = 256;
/** Files in use at a time: more than the threads that read and write. */
const IN_USE = 16;
/** Files that are open and not in use, at most. */
const IDLE = 1024;
/** Milliseconds between two attempts, and how many there are, while the rest of the process has too many files open. */
const RETRY_MS = 25;
const RETRIES = 20;

/** A file that is open, and that may be closed until it is used again. */
export interface Idle {
  /** Never rejects. */
  park(): Promise<void>;
}

/**
 * The files that all hybrid stores of this process have open. A process may have few, and one that has too many fails in
 * whatever it does next; so there is one bound for everything: `run` for what opens, uses and closes a file in one go, and
 * `OpenFile` for what stays open as long as a caller likes.
 *
 * What runs waits for the disk alone, never for a caller and never for another `run`: so every turn comes.
 */
export class Descriptors {
  readonly #turns: Turns;
  readonly #mostIdle: number;
  /** The one used longest ago comes first. */
  readonly #idle = new Set<Idle>();

  /** @param limit how many files the process may have open. */
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

  /** Within `run`: opens a file. Where there are too many for the moment, it closes what it can and tries again. */
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

  /** Within `run`: the file is open, and not in use for the moment. `undefined`: there is nothing to wait for. */
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

/** Of the process, as every store counts against the same limit. */
export const DESCRIPTORS: Descriptors = new Descriptors();

function processLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? COMMON_LIMIT : Number(soft);
  } catch {
    return COMMON_LIMIT;
  }
}
