import { Refusal, SessionRevisions } from "@kv/core";
import { beginsWith, CHECKSUM_LENGTH, checksum, checksumText } from "./checksum.ts";

/** The layout that this version writes, and the latest it can read. */
const LAYOUT = 1;

/**
 * The record of the layout, and the revisions that are given out.
 *
 * The record is a checksum and JSON: `{"layout":1,"revision":1}`. The number is for versions that counted their revisions
 * from it and reserved them by raising it: they never count from a lower one, and no revision of this version is a number.
 */
export class Revisions {
  readonly #storedKey: string;
  readonly #session = new SessionRevisions();
  #isWritten: boolean;

  /** @throws Refusal where the record is not ours, or a newer version's */
  constructor(storedKey: string, record: string | undefined) {
    this.#storedKey = storedKey;
    this.#isWritten = record !== undefined;
    if (record !== undefined) check(storedKey, record);
  }

  /** Never given out before, not even by another opening of the same files or a copy of them. */
  next(): string {
    return this.#session.next();
  }

  /** What has to be written with the first entries; `undefined`: it is there already. */
  record(): string | undefined {
    if (this.#isWritten) return undefined;
    const content = JSON.stringify({ layout: LAYOUT, revision: 1 });
    return checksumText(checksum(this.#storedKey, content)) + content;
  }

  /** The record was written. */
  recorded(): void {
    this.#isWritten = true;
  }
}

function check(storedKey: string, record: string): void {
  const content = record.slice(CHECKSUM_LENGTH);
  if (!beginsWith(record, checksum(storedKey, content))) {
    throw new Refusal(
      "KV_CORRUPT",
      `the record ${JSON.stringify(storedKey)} is damaged, or not of @kv/leveldb; restore the database from a backup, or choose another prefix`,
    );
  }
  const { layout }: { layout: number } = JSON.parse(content);
  if (layout > LAYOUT) {
    throw new Refusal(
      "KV_UNSUPPORTED",
      `the data has layout ${layout} and was written by a newer @kv/leveldb, while this one knows layouts up to ${LAYOUT}; upgrade @kv/leveldb`,
    );
  }
}
