import { Refusal, SessionRevisions } from "@kv/core";
import { beginsWith, CHECKSUM_LENGTH, checksum, checksumText } from "./checksum.ts";

/** The layout that this version writes, and the latest that it can read. */
const LAYOUT = 1;

/**
 * The record of the layout, and the source of revisions.
 *
 * The record is a checksum and JSON: `{"layout":1,"revision":1}`. The number serves earlier versions, which count their
 * revisions from it and reserve them by raising it. It is never lowered, and revisions of this version are not numbers.
 */
export class Revisions {
  readonly #storedKey: string;
  readonly #session = new SessionRevisions();
  #isWritten: boolean;

  /** @throws Refusal if the record is not ours, or of a newer version */
  constructor(storedKey: string, record: string | undefined) {
    this.#storedKey = storedKey;
    this.#isWritten = record !== undefined;
    if (record !== undefined) check(storedKey, record);
  }

  /** A revision never given out before, not even by another opening of the same files or a copy of them. */
  next(): string {
    return this.#session.next();
  }

  /** The record to write with the first entries; `undefined`: it is already stored. */
  record(): string | undefined {
    if (this.#isWritten) return undefined;
    const content = JSON.stringify({ layout: LAYOUT, revision: 1 });
    return checksumText(checksum(this.#storedKey, content)) + content;
  }

  /** Call once the record is written. */
  recorded(): void {
    this.#isWritten = true;
  }
}

function check(storedKey: string, record: string): void {
  const content = record.slice(CHECKSUM_LENGTH);
  if (!beginsWith(record, checksum(storedKey, content))) {
    throw new Refusal(
      "KV_CORRUPT",
      `the record ${JSON.stringify(storedKey)} is damaged, or @kv/leveldb did not write it; restore the database from a backup, or choose another prefix`,
    );
  }
  const { layout }: { layout: number } = JSON.parse(content);
  if (layout > LAYOUT) {
    throw new Refusal(
      "KV_UNSUPPORTED",
      `the data have layout ${layout} of a newer @kv/leveldb; this one reads layouts up to ${LAYOUT}: upgrade @kv/leveldb`,
    );
  }
}
