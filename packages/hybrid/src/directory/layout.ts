// What lies in the directory, and why no file is removed that somebody needs.
//
//   objects/, entries/      the files, named as `file-name.ts` says. A file is written under `.kv/tmp`, whole, fsynced where
//                           that was asked, and renamed to its name: under its name it is whole and never changes.
//   .kv/layout.json         the version of this layout; what makes the directory one of ours
//   .kv/collected           its time is when files were last collected, by whichever process
//   .kv/tmp/<owner>-<n>/    made by each opening, and its alone; its absence tells that the directory is another one by now
//           <owner>-<n>     files being written; with `.read`, second names of files that streams read
//   .kv/pins/<owner>-<n>    the names of files that a commit under way is about to refer to, a line each; or `all`, by a backup
//   .kv/trash/<ms>-<n>/…    files in quarantine since then, under their names
//
// A write: pin the names (P), put the files there by rename (F), commit the references in the index (C), remove the
// pin (U). A crash leaves at worst files that no entry names, never an entry without its file.
//
// A collector, of which there may be several: list the pins (L), read every reference in the index (S), move what is
// neither pinned nor referenced to quarantine (R). A later pass, with an L' and an S' begun after the R, removes what is in
// quarantine and neither in L' nor in S', and puts the rest back.
//
// Why what is removed is never needed. Suppose a commit C refers to a file that was moved by R and is removed after L'
// and S'. Had the writer pinned it after R, it would have put the file there anew (F), and what is removed is the old
// copy in quarantine. So P came before R. If U came after L', L' saw the pin. If not, then C came before U, U before L',
// and L' before S': S' saw the reference, or the entry was replaced since. No clock is part of this, nor does it matter how
// long anybody was suspended. The only clocks: a pin holds for as long as its process lives, but for a day at most, since
// numbers of processes come again; for the grace period where that process is dead, on another machine, or did not learn
// what became of its commit, which may still be on its way to the index (of the last two, the adapter's own period, even
// where a collection is asked for a shorter one). And every file is left alone for the grace period, first where it is and then in quarantine, so that an index that lost its last
// writes (a failover, a loss of power) still finds what it then refers to.
//
// A reader that finds no file under a name of the index looks in quarantine, then in the place again (it may have been
// put back in between), then asks the index again: the entry has changed, and is read anew, or the file is missing, which
// is KV_CORRUPT. So a mere race is never told as damage. A file once opened stays readable whatever becomes of its name.

import { join } from "node:path";

/** The layout that this code writes. A directory of a newer one is refused. */
export const LAYOUT_VERSION = 1;

/** Where the files of entries lie. */
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
