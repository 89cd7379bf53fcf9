import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "@kv/core";
import { strangeLogs } from "./log-continuity.ts";

/** How long the files were when the database was closed. */
interface ClosingNote {
  /** What LevelDB's file CURRENT said, which changes whenever the database is opened. */
  readonly current: string;
  readonly files: Readonly<Record<string, number>>;
}

const FILE = "kv-closed.json";
const TABLE = /\.(ldb|sst)$/;
const CONTENT = /^(\d+\.(ldb|sst|log)|MANIFEST-\d+)$/;

/** Best effort, after the database was closed. */
export function writeClosingNote(path: string): void {
  try {
    const files = Object.fromEntries(contentOf(path).map((name) => [name, statSync(join(path, name)).size]));
    const note: ClosingNote = { current: readCurrent(path), files };
    writeFileSync(join(path, FILE), `${JSON.stringify(note)}\n`);
  } catch {
    // Then the next opening cannot tell whether the files are whole, as after a kill.
  }
}

/**
 * LevelDB takes a log that was cut short for one that a process was killed over, and goes on without what is missing; and
 * it reads every log that it finds, also one of another state, which is how a backup that was copied over newer files
 * becomes a mixture of two states. Both are found here: by the note where the database was closed in order, else by the
 * numbers of the writes.
 * @throws Refusal `KV_CORRUPT`
 */
export function checkState(path: string): void {
  checkNote(path);
  // Also after a kill, when there is no note.
  const strangers = strangeLogs(path);
  if (strangers.length > 0) refuseMixture(path, strangers);
}

function checkNote(path: string): void {
  const note = readNote(path);
  if (note === undefined) return;
  const current = readCurrent(path);
  if (note.current === current) compare(path, note);
  else if (manifestNumber(current) < manifestNumber(note.current)) refuseNewer(path, note);
  // It holds until the files are opened: an opening that fails half way changes them, too, and leaves CURRENT as it is.
  rmSync(join(path, FILE), { force: true });
}

function compare(path: string, note: ClosingNote): void {
  // LevelDB reads nothing older than its manifest: leftovers of earlier states, as in a copy that was updated, do no harm.
  const from = manifestNumber(note.current);
  const strangers = contentOf(path).filter(
    (name) => !Object.hasOwn(note.files, name) && fileNumber(name) > from,
  );
  if (strangers.length > 0) refuseMixture(path, strangers);
  for (const [name, size] of Object.entries(note.files)) {
    const found = sizeOf(path, name);
    if (found === size) continue;
    const what = found === undefined ? "is missing" : `has ${found} bytes instead of ${size}`;
    throw new Refusal(
      "KV_CORRUPT",
      `the database ${path} is damaged: its file ${name} ${what}; restore it from a backup`,
    );
  }
}

/**
 * CURRENT is of an earlier state than the note. Where logs or the manifest of the note's state are there as well, an earlier
 * state without a note was copied over it. (A repaired database begins anew with the numbers, and has none of these.)
 */
function refuseNewer(path: string, { files }: ClosingNote): void {
  const newer = Object.keys(files).filter((name) => !TABLE.test(name) && sizeOf(path, name) === files[name]);
  if (newer.length > 0) refuseMixture(path, newer);
}

function refuseMixture(path: string, strangers: readonly string[]): never {
  throw new Refusal(
    "KV_CORRUPT",
    `the database ${path} is a mixture of two states: ${list(strangers)} ` +
      `${strangers.length === 1 ? "does" : "do"} not belong to the state that CURRENT names, as where a backup is copied over ` +
      "newer files; restore the backup into an empty directory",
  );
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

function contentOf(path: string): string[] {
  return readdirSync(path)
    .filter((name) => CONTENT.test(name))
    .sort();
}

function sizeOf(path: string, name: string): number | undefined {
  return statSync(join(path, name), { throwIfNoEntry: false })?.size;
}

function fileNumber(name: string): number {
  return Number(/\d+/.exec(name)?.[0]);
}

function manifestNumber(current: string): number {
  return Number(/^MANIFEST-(\d+)/.exec(current)?.[1] ?? Number.NaN);
}

function readNote(path: string): ClosingNote | undefined {
  try {
    const note: Partial<ClosingNote> = JSON.parse(readFileSync(join(path, FILE), "utf8"));
    const { current, files } = note;
    return typeof current === "string" && typeof files === "object" && files !== null
      ? { current, files }
      : undefined;
  } catch {
    return undefined;
  }
}

function readCurrent(path: string): string {
  try {
    return readFileSync(join(path, "CURRENT"), "utf8");
  } catch {
    return "";
  }
}
