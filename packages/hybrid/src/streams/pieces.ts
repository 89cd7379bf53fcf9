import type { OpenFile } from "../directory/open-file.ts";
import { corruptFile } from "../errors.ts";

/** Bytes, of which `start` is the first and `end` the first that is left out. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Bytes read at once: what waits to be freed is many of these. */
export const PIECE: number = 2 ** 16;

/** What a file holds between two places, or to its end where `end` is infinite. @throws Refusal where it is shorter */
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
