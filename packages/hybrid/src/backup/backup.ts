import { Refusal, refuseUnknownOptions, type ViewAccess } from "@kv/core";
import { directoryFault } from "../errors.ts";
import type { FileStore } from "../file-store.ts";
import { demand } from "../options.ts";
import { type BackupReport, BackupWriter } from "./backup-writer.ts";

export interface BackupOptions {
  /**
   * Copies the index, for example with `backup()` of `@kv/sqlite`. Called once, before the files are copied and while none
   * of them is collected. If it throws, the backup fails with that error.
   */
  readonly index: () => Promise<unknown>;
  /** Ends the backup with `KV_ABORTED` after its files have been removed. The copy of the index stays. */
  readonly signal?: AbortSignal | undefined;
  /** Called now and then, in the caller's async context. If it throws, the backup fails with that error. */
  readonly onProgress?: ((progress: BackupReport) => void) | undefined;
}

const OPTIONS: ReadonlySet<string> = new Set(["index", "signal", "onProgress"]);

/** @throws KvError; the errors of the caller's functions */
export async function backup(
  fileStore: FileStore,
  access: ViewAccess,
  path: string,
  options: BackupOptions,
): Promise<BackupReport> {
  const own: { thrown?: { readonly error: unknown } } = {};
  const failed = (error: unknown): never => {
    own.thrown = { error };
    throw error;
  };
  try {
    return await access.operate({ operation: "backup" }, async () => {
      demand(options !== undefined, "index", "a function that copies the index");
      refuseUnknownOptions(options, OPTIONS, "backup");
      const { index, signal, onProgress } = options;
      demand(
        typeof path === "string" && path.trim() !== "" && !path.includes("\0"),
        "path",
        "the path of a directory",
      );
      demand(typeof index === "function", "index", "a function that copies the index");
      demand(signal === undefined || isSignal(signal), "signal", "an AbortSignal");
      demand(onProgress === undefined || typeof onProgress === "function", "onProgress", "a function");
      await access.settled();
      const { settings, directory } = fileStore;
      const plan = {
        signal,
        async index() {
          try {
            await index();
          } catch (error) {
            failed(error);
          }
        },
        onProgress(report: BackupReport) {
          try {
            onProgress?.(report);
          } catch (error) {
            failed(error);
          }
        },
      };
      try {
        return await new BackupWriter(directory, settings.grace).write(path, plan);
      } catch (error) {
        throw error instanceof Refusal || own.thrown !== undefined ? error : directoryFault(error, path);
      }
    });
  } catch (error) {
    throw own.thrown === undefined ? error : own.thrown.error;
  }
}

/** By its members: a signal of another realm is not an instance of this realm's class. */
function isSignal(signal: unknown): boolean {
  return typeof signal === "object" && signal !== null && "aborted" in signal;
}
