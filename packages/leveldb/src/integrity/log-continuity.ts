import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { logRecords } from "./log-records.ts";
import { type Manifest, parseManifest } from "./manifest.ts";

/** A write begins with its number, in eight bytes, and the count of numbers it takes, in four. */
const WRITE_HEADER = 12;

/**
 * The logs that LevelDB is about to read and that do not continue the state that `CURRENT` names. LevelDB numbers its
 * writes without a gap, through the manifest and from each log to the next, but never checks the numbers. A gap between two
 * files means that the later one is of another state, as after copying a backup over newer files.
 *
 * A log that ends within a record, or with zeros, may have lost its end in a loss of power; later logs are not judged then.
 */
export function strangeLogs(path: string): readonly string[] {
  const manifest = currentManifest(path);
  if (manifest === undefined) return [];
  const logs = logsFrom(path, manifest);
  let last = manifest.lastSequence;
  for (const [index, name] of logs.entries()) {
    const { records, isWhole } = logRecords(readFileSync(join(path, name)));
    const writes = records.filter((record) => record.length >= WRITE_HEADER);
    const first = writes[0]?.readBigUInt64LE(0);
    if (first !== undefined && first > last + 1n) return logs.slice(index);
    if (!isWhole) return [];
    for (const write of writes) {
      const end = write.readBigUInt64LE(0) + BigInt(write.readUInt32LE(8)) - 1n;
      if (end > last) last = end;
    }
  }
  return [];
}

function currentManifest(path: string): Manifest | undefined {
  try {
    return parseManifest(readFileSync(join(path, readFileSync(join(path, "CURRENT"), "utf8").trim())));
  } catch {
    // LevelDB will report what is wrong with it.
    return undefined;
  }
}

/** In the order in which LevelDB reads them. */
function logsFrom(path: string, { logNumber, previousLog }: Manifest): string[] {
  return readdirSync(path)
    .filter((name) => /^\d+\.log$/.test(name))
    .filter((name) => numberOf(name) >= logNumber || numberOf(name) === previousLog)
    .sort((a, b) => numberOf(a) - numberOf(b));
}

function numberOf(name: string): number {
  return Number.parseInt(name, 10);
}
