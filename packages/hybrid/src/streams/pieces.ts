import type { OpenFile } from "../directory/open-file.ts";
import { corruptFile } from "../errors.ts";

/** A range of bytes: `start` is the first, `end` the first that is excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Bytes read at once; kept small, because many of these may wait to be freed. */
export const PIECE: number = 2 ** 16;

/** The bytes of a file in a range, or to its end if `end` is infinite. @throws Refusal if the file is shorter */
export async function* piecesOf(
  file: OpenFile,
  name: string,
  { start, end }: Span,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = start; at < end; ) {
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, end - at));
    const { bytesRead } = await file.use((handle) => handle.read(piece, 0, piece.byteLength, at));
    if (bytesRead > 0) yield piece.subarray(0, bytesRead);
    else if (end === Number.POSITIVE_INFINITY) return;
    else throw corruptFile(name, "was cut short while it was read");
    at += bytesRead;
  }
}
