import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { turn } from "@kv/core";

/** Bytes hashed, read and written at once: less than a millisecond of the event loop. */
const CHUNK = 2 ** 20;

/** Writes a file and returns the SHA-256 of its content. Each part is hashed here while another thread writes it. */
export async function writeHashed(handle: FileHandle, bytes: Uint8Array): Promise<string> {
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.byteLength; at += CHUNK) {
    const part = bytes.subarray(at, at + CHUNK);
    const written = writeAll(handle, part);
    hash.update(part);
    await written;
  }
  return hash.digest("hex");
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) at += (await handle.write(bytes, at)).bytesWritten;
}

/**
 * Reads a file of `size` bytes and returns them with their SHA-256. Each part is hashed here while another thread reads the
 * next one. `undefined`: the file is shorter.
 */
export async function readHashed(
  handle: FileHandle,
  size: number,
): Promise<{ readonly bytes: Uint8Array; readonly sha256: string } | undefined> {
  const hash = createHash("sha256");
  const bytes = new Uint8Array(size);
  let reading = readSome(handle, bytes, 0);
  for (let at = 0; at < size; ) {
    const end = at + (await reading);
    if (end === at) return undefined;
    reading = readSome(handle, bytes, end);
    hash.update(bytes.subarray(at, end));
    at = end;
  }
  await reading;
  return { bytes, sha256: hash.digest("hex") };
}

/** Returns the number of bytes read. */
async function readSome(handle: FileHandle, bytes: Uint8Array, at: number): Promise<number> {
  const length = Math.min(CHUNK, bytes.byteLength - at);
  return length === 0 ? 0 : (await handle.read(bytes, at, length, at)).bytesRead;
}

/** The SHA-256 of bytes, computed in steps with a turn of the event loop between them. */
export async function hashed(bytes: Uint8Array): Promise<string> {
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.byteLength; at += CHUNK) {
    if (at > 0) await turn();
    hash.update(bytes.subarray(at, at + CHUNK));
  }
  return hash.digest("hex");
}
