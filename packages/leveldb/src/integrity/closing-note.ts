import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "@kv/core";
import { strangeLogs } from "./log-continuity.ts";

/** The sizes of the files when the database was closed, in bytes. */
interface ClosingNote {
  /** The content of LevelDB's file CURRENT, which changes whenever the database is opened. */
  readonly current: string;
  readonly files: Readonly<Record<string, number>>;
}

const FILE = "kv-closed.json";
const TABLE = /\.(ldb|sst)$/;
const CONTENT = /^(\d+\.(ldb|sst|log)|MANIFEST-\d+)$/;

/** Best effort, after the database is closed. */
export function writeClosingNote(path: string): void {
  try {
    const files = Object.fromEntries(contentOf(path).map((name) => [name, statSync(join(path, name)).size]));
    const note: ClosingNote = { current: readCurrent(path), files };
    writeFileSync(join(path, FILE), `${JSON.stringify(note)}\n`);
  } catch {
    // The next opening then cannot check whether the files are whole, as after a kill.
  }
}

/**
 * Finds damage that LevelDB accepts. It takes a log that was cut short for one whose writer was killed, and goes on without
 * the missing part. And it reads every log that it finds, also one of another state: a backup copied over newer files thus
 * becomes a mixture of two states. Both are found by the note, if the database was closed properly, else by the numbers of
 * the writes.
 * @throws Refusal `KV_CORRUPT`
 */
export function checkState(path: string): void {
  checkNote(path);
  // Needed after a kill, when there is no note.
  const strangers = strangeLogs(path);
  if (strangers.length > 0) refuseMixture(path, strangers);
}

function checkNote(path: string): void {
  const note = readNote(path);
  if (note === undefined) return;
  const current = readCurrent(path);
  if (note.current === current) compare(path, note);
  else if (manifestNumber(current) < manifestNumber(note.current)) refuseNewer(path, note);
  // The note is valid until the files are opened: even an opening that fails half way changes them, but not CURRENT.
  rmSync(join(path, FILE), { force: true });
}

function compare(path: string, note: ClosingNote): void {
  // LevelDB reads no file older than its manifest: leftovers of earlier states, as in an updated copy, do no harm.
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
 * CURRENT is of an earlier state than the note. If logs or the manifest of the note's state are there as well, an earlier
 * state without a note was copied over it. (A repaired database restarts the numbers, and has none of these files.)
 */
function refuseNewer(path: string, { files }: ClosingNote): void {
  const newer = Object.keys(files).filter((name) => !TABLE.test(name) && sizeOf(path, name) === files[name]);
  if (newer.length > 0) refuseMixture(path, newer);
}

function refuseMixture(path: string, strangers: readonly string[]): never {
  throw new Refusal(
    "KV_CORRUPT",
    `the database ${path} is a mixture of two states: ${list(strangers)} ` +
      `${strangers.length === 1 ? "does" : "do"} not belong to the state that CURRENT names, as after copying a backup over ` +
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
