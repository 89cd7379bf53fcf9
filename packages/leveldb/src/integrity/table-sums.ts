/**
 * Checks that LevelDB's tables are as they were written. LevelDB verifies the checksums in them only on request, which the
 * driver cannot make: an altered block may then hide entries, return earlier values, or end the process by an assertion. A
 * table never changes once it exists, so one sum for each is enough: `kv-tables.json`, written when the database is closed,
 * has their CRC-32.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Refusal } from "@kv/core";

const FILE = "kv-tables.json";
const TABLE = /^\d+\.(ldb|sst)$/;
/** Bytes read at a time. */
const CHUNK = 2 ** 20;

type Sums = Readonly<Record<string, number>>;

/**
 * Checks the tables, if together they have at most `upTo` bytes.
 * @throws Refusal `KV_CORRUPT`
 */
export async function checkTables(path: string, upTo: number): Promise<void> {
  const sums = readSums(path);
  if ((await sizeOfAll(path)) > upTo) return;
  for (const name of tablesAt(path)) {
    const written = sums[name];
    if (written === undefined) continue;
    const sum = await sumOf(join(path, name));
    // A table that vanishes meanwhile was deleted by another process that has the database open.
    if (sum === undefined || sum === written) continue;
    throw new Refusal(
      "KV_CORRUPT",
      `the database ${path} is damaged: its table ${name} was altered since it was written; restore it from a backup ` +
        `(if you have just restored it, delete ${FILE} in that directory instead)`,
    );
  }
}

/**
 * Best effort, after the database is closed. Known sums of existing tables are kept; new tables are read only if the next
 * opening will read them, too, so that closing a large database does not take long.
 */
export async function writeTableSums(path: string, upTo: number): Promise<void> {
  try {
    if ((await sizeOfAll(path)) > upTo) return;
    const known = readSums(path);
    const sums: Record<string, number> = {};
    for (const name of tablesAt(path)) {
      const sum = known[name] ?? (await sumOf(join(path, name)));
      if (sum !== undefined) sums[name] = sum;
    }
    const temporary = join(path, `${FILE}.tmp`);
    writeFileSync(temporary, `${JSON.stringify(sums)}\n`);
    renameSync(temporary, join(path, FILE));
  } catch {
    // The next opening then checks fewer tables.
  }
}

function tablesAt(path: string): string[] {
  return readdirSync(path).filter((name) => TABLE.test(name));
}

function readSums(path: string): Sums {
  try {
    const sums: unknown = JSON.parse(readFileSync(join(path, FILE), "utf8"));
    return typeof sums === "object" && sums !== null ? (sums as Sums) : {};
  } catch {
    return {};
  }
}

async function sizeOfAll(path: string): Promise<number> {
  const sizes = await Promise.all(tablesAt(path).map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}

async function sumOf(file: string): Promise<number | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    const chunk = new Uint8Array(CHUNK);
    let sum = 0;
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, CHUNK);
      if (bytesRead === 0) return sum;
      sum = crc32(chunk.subarray(0, bytesRead), sum);
    }
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}
