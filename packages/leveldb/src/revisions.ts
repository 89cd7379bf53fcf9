import { Refusal } from "@kv/core";
import { beginsWith, CHECKSUM_LENGTH, checksum, checksumText } from "./checksum.ts";

/** How many revisions are reserved at once: one batch in so many is longer by one operation. */
const BLOCK = 2 ** 20;
/** The layout that this version writes, and the latest it can read. */
const LAYOUT = 1;

/**
 * Numbers that are never given out twice. They are reserved in blocks, by the first batch that writes one of a block, so
 * that none of them is seen by anybody before its block is known to be taken. What is left of a block when the process
 * ends is lost.
 *
 * The record is a checksum and JSON: `{"layout":1,"revision":1048577}`, the first number that nobody has reserved.
 */
export class Revisions {
  readonly #storedKey: string;
  #next = 1;
  #end = 0;

  /** @throws Refusal where the record is not ours, or a newer version's */
  constructor(storedKey: string, record: string | undefined) {
    this.#storedKey = storedKey;
    if (record === undefined) return;
    this.#end = parse(storedKey, record);
    this.#next = this.#end;
  }

  next(): string {
    return String(this.#next++);
  }

  /** What has to be written with numbers that were taken since; `undefined`: nothing. */
  reservation(): { readonly record: string; readonly end: number } | undefined {
    if (this.#next <= this.#end) return undefined;
    const end = this.#next + BLOCK;
    const content = JSON.stringify({ layout: LAYOUT, revision: end });
    return { record: checksumText(checksum(this.#storedKey, content)) + content, end };
  }

  /** The reservation was written. */
  reserved(end: number): void {
    this.#end = end;
  }
}

function parse(storedKey: string, record: string): number {
  const content = record.slice(CHECKSUM_LENGTH);
  if (!beginsWith(record, checksum(storedKey, content))) {
    throw new Refusal(
      "KV_CORRUPT",
      `the record ${JSON.stringify(storedKey)} is damaged, or not of @kv/leveldb; restore the database from a backup, or choose another prefix`,
    );
  }
  const { layout, revision }: { layout: number; revision: number } = JSON.parse(content);
  if (layout > LAYOUT) {
    throw new Refusal(
      "KV_UNSUPPORTED",
      `the data has layout ${layout} and was written by a newer @kv/leveldb, while this one knows layouts up to ${LAYOUT}; upgrade @kv/leveldb`,
    );
  }
  return revision;
}
