import { crc32 } from "node:zlib";

/** How many characters a checksum takes. */
export const CHECKSUM_LENGTH = 8;

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * The CRC-32 of what is stored under a key. LevelDB checks its blocks only if asked to, which the driver cannot; and a
 * value under another key than its own is as wrong as an altered one, hence the key begins the sum.
 */
export function checksum(storedKey: string, content: string | Uint8Array): number {
  return crc32(content, hashOf(storedKey));
}

/** Goes on with the sum of what stood before. */
export function checksumFrom(sum: number, content: string | Uint8Array): number {
  return crc32(content, sum);
}

export function checksumText(sum: number): string {
  return `${HEX[sum >>> 24]}${HEX[(sum >>> 16) & 255]}${HEX[(sum >>> 8) & 255]}${HEX[sum & 255]}`;
}

/** Whether a text begins with this checksum. Digit by digit: most of what is read has its checksum looked at. */
export function beginsWith(text: string, sum: number): boolean {
  let told = 0;
  for (let i = 0; i < CHECKSUM_LENGTH; i++) told = (told << 4) | digit(text.charCodeAt(i));
  return told >>> 0 === sum;
}

/** The value of a hexadecimal digit. An altered checksum that is still taken for the right one does no harm. */
function digit(code: number): number {
  return (code >= 0x61 ? code - 0x57 : code - 0x30) & 15;
}

/** FNV-1a: cheaper for the short text of a key than a call of the native function. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
