import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { CorruptEntry, Refusal, refuseUnknownOptions } from "@kv/core";
import { ClassicLevel } from "classic-level";
import type { Driver, Snapshot } from "../connection/driver.ts";
import { openFault } from "../errors.ts";
import { writeClosingNote } from "../integrity/closing-note.ts";
import { writeTableSums } from "../integrity/table-sums.ts";
import { decodeEntry } from "../stored/entry.ts";
import type { Layout } from "../stored/layout.ts";
import type { BackupOptions, BackupReport } from "./backup.ts";
import { markFinished, markUnfinished } from "./unfinished-backup.ts";

const OPTIONS: ReadonlySet<string> = new Set(["signal", "onProgress"]);
/** Entries read and written at a time; fewer if they are large, as the driver reads a megabyte ahead. */
const PAGE = 512;

/** An error of the database that is copied, and not of the copy. */
class SourceFault extends Error {
  constructor(cause: unknown) {
    super("the database cannot be read", { cause });
  }
}

/** Copies a store's part of a database into a new database. */
export class BackupWriter {
  readonly #driver: Driver;
  readonly #layout: Layout;
  readonly #clock: () => number;
  readonly #verifyUpTo: number;

  constructor(driver: Driver, layout: Layout, clock: () => number, verifyUpTo: number) {
    this.#driver = driver;
    this.#layout = layout;
    this.#clock = clock;
    this.#verifyUpTo = verifyUpTo;
  }

  /** @throws Refusal, or the error of the driver or the file system */
  async write(path: string, options: BackupOptions): Promise<BackupReport> {
    check(path, options);
    const target = resolve(path);
    const temporary = `${target}.partial-${crypto.randomUUID()}`;
    try {
      refuseFilled(target);
      mkdirSync(temporary, { recursive: true });
      markUnfinished(temporary);
      const report = await this.#copy(temporary, options);
      refuseFilled(target);
      markFinished(temporary);
      if (existsSync(target)) removeEmpty(target);
      renameSync(temporary, target);
      syncDirectory(dirname(target));
      return report;
    } catch (error) {
      await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
      throw error instanceof SourceFault ? error.cause : openFault(error, target);
    }
  }

  async #copy(directory: string, options: BackupOptions): Promise<BackupReport> {
    const snapshot = this.#driver.snapshot();
    try {
      const copy = new ClassicLevel(directory);
      let report: BackupReport;
      try {
        await copy.open();
        report = await this.#copyAll(snapshot, copy, options);
      } finally {
        await copy.close();
      }
      writeClosingNote(directory);
      await writeTableSums(directory, this.#verifyUpTo);
      for (const name of readdirSync(directory)) syncFile(`${directory}/${name}`);
      syncDirectory(directory);
      return report;
    } finally {
      await snapshot.close();
    }
  }

  async #copyAll(snapshot: Snapshot, copy: ClassicLevel, options: BackupOptions): Promise<BackupReport> {
    const { signal, onProgress } = options;
    const report = { entries: 0, bytes: 0, damaged: 0 };
    const found = snapshot.iterateBytes(this.#layout.whole);
    for (;;) {
      if (signal?.aborted)
        throw new Refusal("KV_ABORTED", "the signal was aborted", { cause: signal.reason });
      const page = await found.nextv(PAGE).catch((error: unknown) => {
        throw new SourceFault(error);
      });
      if (page.length === 0) return report;
      const batch = copy.batch();
      for (const [storedKey, value] of page) {
        batch.put(storedKey, value, { keyEncoding: "utf8", valueEncoding: "view" });
        this.#count(storedKey, value, report);
      }
      await batch.write();
      onProgress?.({ entries: report.entries, bytes: report.bytes });
    }
  }

  #count(
    storedKey: string,
    value: Uint8Array,
    report: { entries: number; bytes: number; damaged: number },
  ): void {
    report.bytes += Buffer.byteLength(storedKey) + value.byteLength;
    const { entries, entriesEnd } = this.#layout;
    if (storedKey < entries || storedKey >= entriesEnd) return;
    const entry = decodeEntry("", storedKey, value);
    if (entry instanceof CorruptEntry) report.damaged++;
    else if (entry.expiresAt === undefined || entry.expiresAt > this.#clock()) report.entries++;
  }
}

function check(path: unknown, options: BackupOptions): void {
  if (typeof path !== "string" || path.trim() === "" || path.includes("\0"))
    throw new Refusal(
      "KV_INVALID_OPTION",
      "backup() needs a path: that of a directory which does not exist yet, or is empty",
    );
  refuseUnknownOptions(options, OPTIONS, "backup()");
  const { signal, onProgress } = options;
  if (signal !== undefined && typeof signal?.aborted !== "boolean")
    throw new Refusal("KV_INVALID_OPTION", "the option signal of backup() must be an AbortSignal");
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw new Refusal("KV_INVALID_OPTION", "the option onProgress of backup() must be a function");
}

function refuseFilled(target: string): void {
  if (!existsSync(target) || readdirSync(target).length === 0) return;
  throw new Refusal(
    "KV_INVALID_OPTION",
    `${target} is not empty; backup() needs a directory that does not exist yet, or is empty`,
  );
}

/** Not every system can rename a directory to the name of an existing one. */
function removeEmpty(target: string): void {
  try {
    rmdirSync(target);
  } catch (cause) {
    throw new Refusal(
      "KV_INVALID_OPTION",
      `backup() cannot replace the directory ${target}, perhaps because a file system is mounted there; name a directory within it`,
      { cause },
    );
  }
}

function syncFile(file: string): void {
  const descriptor = openSync(file, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A file's name is stored in its directory, which needs its own sync. Windows cannot open directories, and needs none. */
function syncDirectory(directory: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
