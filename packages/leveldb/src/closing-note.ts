import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "@kv/core";

/** How long the files were when the database was closed. */
interface ClosingNote {
  /** What LevelDB's file CURRENT said, which changes whenever anybody opens the database. */
  readonly current: string;
  readonly files: Readonly<Record<string, number>>;
}

const FILE = "kv-closed.json";
const CONTENT = /^(\d+\.(ldb|sst|log)|MANIFEST-\d+)$/;

/** Best effort, after the database was closed. */
export function writeClosingNote(path: string): void {
  try {
    const names = readdirSync(path).filter((name) => CONTENT.test(name));
    const files = Object.fromEntries(names.map((name) => [name, statSync(join(path, name)).size]));
    const note: ClosingNote = { current: readCurrent(path), files };
    writeFileSync(join(path, FILE), `${JSON.stringify(note)}\n`);
  } catch {
    // Then nobody can tell later whether the files are whole, as after a kill.
  }
}

/**
 * LevelDB takes a log that was cut short for one that a process was killed over, and goes on without what is missing.
 * Where the database was closed in order, that is told apart here.
 * @throws Refusal `KV_CORRUPT`
 */
export function checkClosingNote(path: string): void {
  const note = readNote(path);
  if (note === undefined) return;
  if (note.current === readCurrent(path)) compare(path, note);
  // It holds until the files are opened: an opening that fails half way changes them, too, and leaves CURRENT as it is.
  rmSync(join(path, FILE), { force: true });
}

function compare(path: string, note: ClosingNote): void {
  for (const [name, size] of Object.entries(note.files)) {
    const found = statSync(join(path, name), { throwIfNoEntry: false })?.size;
    if (found === size) continue;
    const what = found === undefined ? "is missing" : `has ${found} bytes instead of ${size}`;
    throw new Refusal(
      "KV_CORRUPT",
      `the database ${path} is damaged: its file ${name} ${what}; restore it from a backup`,
    );
  }
}

function readNote(path: string): ClosingNote | undefined {
  try {
    const note: Partial<ClosingNote> = JSON.parse(readFileSync(join(path, FILE), "utf8"));
    const { current, files } = note;
    return typeof current === "string" && typeof files === "object" ? { current, files } : undefined;
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
