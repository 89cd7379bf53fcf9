import { readdirSync } from "node:fs";
import { type FileId, fileIdAt, fileIdOfDescriptor } from "../connection/file-id.ts";

/**
 * Whether a process has a file open, in any of its threads; `undefined`: the system does not report it. The file is not
 * opened here: closing a second descriptor of a locked file would free the lock.
 */
export function hasOpen(pid: number, file: FileId): boolean | undefined {
  return pid === process.pid ? thisProcessHasOpen(file) : otherHasOpen(pid, file);
}

/** `/dev/fd` exists on Linux, macOS and the BSDs. */
function thisProcessHasOpen(file: FileId): boolean | undefined {
  const names = entriesOf("/dev/fd");
  return names?.some((name) => idOrNothing(() => fileIdOfDescriptor(Number(name))) === file);
}

/** Linux only, and only for processes of the same user, unless this one runs as root. */
function otherHasOpen(pid: number, file: FileId): boolean | undefined {
  const directory = `/proc/${pid}/fd`;
  const names = entriesOf(directory);
  return names?.some((name) => idOrNothing(() => fileIdAt(`${directory}/${name}`)) === file);
}

function entriesOf(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}

/** `undefined` if the descriptor was closed between the list and the look. */
function idOrNothing(look: () => FileId | undefined): FileId | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
