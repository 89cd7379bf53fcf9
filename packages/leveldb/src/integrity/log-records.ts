/** LevelDB's own numbers: doc/log_format.md in its repository. */
const BLOCK = 32_768;
const HEADER = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;

/** The records of a log or a manifest, which share a format; checksums are not verified. */
export interface LogRecords {
  readonly records: readonly Buffer[];
  /** Whether nothing follows the last record: neither a part of one, nor space that was never written. */
  readonly isWhole: boolean;
}

export function logRecords(log: Buffer): LogRecords {
  const records: Buffer[] = [];
  let parts: Buffer[] = [];
  let at = 0;
  while (log.length - at > 0) {
    const left = BLOCK - (at % BLOCK);
    if (left < HEADER) {
      at += left;
      continue;
    }
    if (log.length - at < HEADER) return { records, isWhole: false };
    const length = log.readUInt16LE(at + 4);
    const type = log[at + 6];
    const end = at + HEADER + length;
    if (type === undefined || type < FULL || type > LAST || end > log.length || HEADER + length > left)
      return { records, isWhole: false };
    if (type === FULL || type === FIRST) parts = [];
    parts.push(log.subarray(at + HEADER, end));
    if (type === FULL || type === LAST) {
      records.push(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts));
      parts = [];
    }
    at = end;
  }
  return { records, isWhole: parts.length === 0 };
}
