import type { Value } from "../workload/contender.ts";

/** @throws TypeError for a JSON value, which a contender of files does not take */
export function bytesOf(value: Value): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError("this contender stores bytes");
}

/** A driver's Buffer as plain bytes, without a copy. */
export function bytesIn(buffer: Buffer | null): Uint8Array | undefined {
  return buffer === null ? undefined : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
