import type { FileHandle } from "node:fs/promises";
import { DESCRIPTORS } from "./descriptors.ts";

/** How a file that was closed for a while is opened again. */
export interface Shelter {
  /** Called before the file is closed; `false`: it must stay open, because it could not be opened again. */
  prepare(handle: FileHandle): Promise<boolean>;
  reopen(): Promise<FileHandle>;
  /** The file is not needed any more. Never rejects. */
  leave(): Promise<void>;
}

/**
 * A file that stays open as long as a caller likes. A caller may have thousands: if too many are open, the file is closed
 * between two uses, and opened again by the next one.
 */
export class OpenFile {
  readonly #shelter: Shelter;
  #handle: FileHandle | undefined;
  #closed = false;
  /** Uses of the file, and closings between them, run one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(handle: FileHandle, shelter: Shelter) {
    this.#handle = handle;
    this.#shelter = shelter;
  }

  /** The file that `opened` opens; `undefined`: there is none. */
  static from(
    opened: () => Promise<FileHandle | undefined>,
    shelter: Shelter,
  ): Promise<OpenFile | undefined> {
    return DESCRIPTORS.run(async () => {
      const handle = await opened();
      if (handle === undefined) return undefined;
      const file = new OpenFile(handle, shelter);
      await DESCRIPTORS.rest(file);
      return file;
    });
  }

  /** Runs work on the file that waits for nothing but the disk. */
  use<T>(work: (handle: FileHandle) => Promise<T>): Promise<T> {
    return DESCRIPTORS.run(async () => {
      DESCRIPTORS.wake(this);
      try {
        return await this.#next(async () => {
          if (this.#closed) throw new Error("the file was closed while it was read or written");
          this.#handle ??= await this.#shelter.reopen();
          return work(this.#handle);
        });
      } finally {
        if (!this.#closed && this.#handle !== undefined) await DESCRIPTORS.rest(this);
      }
    });
  }

  /** Closes it until it is used again. Never rejects. */
  async park(): Promise<void> {
    await this.#next(async () => {
      const handle = this.#handle;
      if (handle === undefined || this.#closed || !(await this.#shelter.prepare(handle))) return;
      this.#handle = undefined;
      await handle.close();
    }).catch(() => undefined);
  }

  /** Closes it for good. A second call does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    DESCRIPTORS.wake(this);
    await this.#next(async () => {
      const handle = this.#handle;
      this.#handle = undefined;
      try {
        await handle?.close();
      } finally {
        await this.#shelter.leave();
      }
    });
  }

  #next<T>(step: () => Promise<T>): Promise<T> {
    const next = this.#last.then(step);
    this.#last = next.catch(() => undefined);
    return next;
  }
}
