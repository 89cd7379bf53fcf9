// The layout of the directory, and why no needed file is ever removed.
//
//   objects/, entries/      the files, named as described in `file-name.ts`. A file is written whole under `.kv/tmp`, fsynced
//                           if that was asked, and renamed: under its name it is complete and never changes.
//   .kv/layout.json         the version of this layout; marks the directory as a hybrid store's
//   .kv/collected           its time is when any process last collected files
//   .kv/tmp/<owner>-<n>/    made and used by one opening; if it is missing, the directory has been replaced
//           <owner>-<n>     files being written; with `.read`, second names of files that streams read
//   .kv/pins/<owner>-<n>    the names of files that a pending commit is about to refer to, a line each; or `all`, by a backup
//   .kv/trash/<ms>-<n>/…    files in quarantine since then, under their names
//
// A write: pin the names (P), put the files there by rename (F), commit the references in the index (C), remove the
// pin (U). A crash leaves at worst files that no entry names, never an entry without its file.
//
// A collector, of which there may be several: list the pins (L), read every reference in the index (S), move what is
// neither pinned nor referenced to quarantine (R). A later pass, with an L' and an S' begun after the R, removes what is in
// quarantine and neither in L' nor in S', and puts the rest back.
//
// Why a removed file is never needed. Suppose a commit C refers to a file that was moved by R and is removed after L' and
// S'. Had the writer pinned it after R, it would have written the file again (F), and only the old copy in quarantine is
// removed. So P came before R. If U came after L', L' saw the pin. If not, then C came before U, U before L', and L' before
// S': S' saw the reference, or the entry was replaced since. This argument needs no clock, and holds however long a process
// is suspended.
//
// Clocks matter in two places only. A pin is valid while its process lives, at most one day because process ids are reused.
// For a process that is dead, on another machine, or unsure whether its commit succeeded (it may still be on its way to the
// index), a pin is valid for the grace period. In the last two cases that is the adapter's own period, even if a collection
// is asked for a shorter one. And every file is kept for the grace period, first in place and then in quarantine, so that
// an index that lost its last writes (a failover, a loss of power) still finds the files that it then refers to.
//
// A reader that finds no file under a name of the index looks in quarantine, then in the place again (the file may have
// been put back in between), then asks the index again: either the entry has changed and is read again, or the file is
// missing, which is KV_CORRUPT. So a race is never reported as damage. A file once opened stays readable whatever happens
// to its name.

import { join } from "node:path";

/** The layout that this code writes. A directory of a newer one is refused. */
export const LAYOUT_VERSION = 1;

/** The folders with the files of entries. */
export const FILE_FOLDERS = ["objects", "entries"] as const;

/** The paths of one directory. */
export interface Paths {
  readonly directory: string;
  readonly marker: string;
  readonly collected: string;
  readonly tmp: string;
  readonly pins: string;
  readonly trash: string;
}

export function pathsOf(directory: string): Paths {
  const own = join(directory, ".kv");
  return {
    directory,
    marker: join(own, "layout.json"),
    collected: join(own, "collected"),
    tmp: join(own, "tmp"),
    pins: join(own, "pins"),
    trash: join(own, "trash"),
  };
}
