import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "@kv/core";

/** LevelDB's own numbers: doc/log_format.md in its repository. */
const BLOCK = 32_768;
const HEADER = 7;
const MASK_DELTA = 0xa282ead8;

/** CRC-32C, a byte at a time: logs are a few megabytes at most. */
const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78;
  return crc;
});

/**
 * Checks that the logs which LevelDB is about to read are as they were written. LevelDB silently skips damaged parts, and
 * acknowledged writes with them; it would report them only by an option that the driver lacks. A record cut short by the end
 * of the file is not damage: its writer was killed.
 * @throws Refusal `KV_CORRUPT`
 */
export async function checkLogs(path: string): Promise<void> {
  for (const file of readdirSync(path)) {
    if (!/^\d+\.log$/.test(file)) continue;
    // A file that vanishes meanwhile was deleted by another process that has the database open.
    const log = await readFile(join(path, file)).catch(() => undefined);
    const damage = log === undefined ? undefined : damageIn(log);
    if (damage === undefined) continue;
    throw new Refusal(
      "KV_CORRUPT",
      `the database ${path} is damaged: ${file}, which holds the latest writes, was altered at byte ${damage}; restore it from a backup`,
    );
  }
}

/** The offset of the first altered record, if there is one. */
export function damageIn(log: Buffer): number | undefined {
  let at = 0;
  while (log.length - at >= HEADER) {
    const left = BLOCK - (at % BLOCK);
    const length = left < HEADER ? 0 : log.readUInt16LE(at + 4);
    const type = left < HEADER ? 0 : log[at + 6];
    if (type === 0 && length === 0) {
      // The end of a block, or space that was reserved and never written.
      at += left;
      continue;
    }
    const end = at + HEADER + length;
    const isLastBlock = log.length - at <= left;
    if (end > log.length && isLastBlock) return undefined;
    if (HEADER + length > left) return at;
    if (unmask(log.readUInt32LE(at)) !== crc32c(log, at + 6, end)) return isUnwritten(log) ? undefined : at;
    at = end;
  }
  return undefined;
}

/** Whether a loss of power left zeros in place of the last records: the durability "fast" may lose these. */
function isUnwritten(log: Buffer): boolean {
  return log.subarray(-HEADER).every((byte) => byte === 0);
}

function unmask(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

function crc32c(bytes: Buffer, from: number, to: number): number {
  let crc = 0xffffffff;
  for (let i = from; i < to; i++) crc = (TABLE[(crc ^ (bytes[i] ?? 0)) & 255] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
