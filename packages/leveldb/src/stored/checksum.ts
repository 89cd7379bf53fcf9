import { crc32 } from "node:zlib";

/** The length of a checksum's text, in characters. */
export const CHECKSUM_LENGTH = 8;

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * The CRC-32 of the content stored under a key. LevelDB verifies its blocks only on request, which the driver cannot make.
 * A value under another key is as wrong as an altered one, so the sum begins with the key.
 */
export function checksum(storedKey: string, content: string | Uint8Array): number {
  return crc32(content, hashOf(storedKey));
}

/** Continues the sum of the content before. */
export function checksumFrom(sum: number, content: string | Uint8Array): number {
  return crc32(content, sum);
}

export function checksumText(sum: number): string {
  return `${HEX[sum >>> 24]}${HEX[(sum >>> 16) & 255]}${HEX[(sum >>> 8) & 255]}${HEX[sum & 255]}`;
}

/** Whether a text begins with this checksum. Compared digit by digit for speed: most reads verify a checksum. */
export function beginsWith(text: string, sum: number): boolean {
  let written = 0;
  for (let i = 0; i < CHECKSUM_LENGTH; i++) written = (written << 4) | digit(text.charCodeAt(i));
  return written >>> 0 === sum;
}

/** The value of a hexadecimal digit. Some altered digits pass for the right one, which does no harm. */
function digit(code: number): number {
  return (code >= 0x61 ? code - 0x57 : code - 0x30) & 15;
}

/** FNV-1a: cheaper for the short text of a key than a call of the native function. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
