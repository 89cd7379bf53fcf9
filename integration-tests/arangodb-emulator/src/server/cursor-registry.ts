import { ArangoError } from "../errors.ts";
import type { Json, JsonObject } from "../json.ts";

export interface CursorOptions {
  readonly values: readonly Json[];
  readonly batchSize: number;
  /** Seconds without a request after which the cursor goes. */
  readonly ttl: number;
  /** Whether the batch that was sent last can be asked for again. */
  readonly allowRetry: boolean;
  /** What every answer holds besides the batch. */
  readonly common: JsonObject;
}

interface Cursor extends CursorOptions {
  readonly id: string;
  /** The number of the batch that was sent last. */
  batch: number;
  position: number;
  last: JsonObject;
  timer: NodeJS.Timeout | undefined;
}

/** The results of queries that did not fit into one answer. */
export class CursorRegistry {
  readonly #cursors = new Map<string, Cursor>();
  readonly #newId: () => string;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /** The first batch; a cursor is kept where there are more, or where the batch can be asked for again. */
  open(options: CursorOptions): JsonObject {
    const cursor: Cursor = {
      ...options,
      id: this.#newId(),
      batch: 0,
      position: 0,
      last: {},
      timer: undefined,
    };
    return this.#advance(cursor);
  }

  /** The next batch, or with its number one that was asked for before. @throws ArangoError 1600 */
  next(id: string, batch: string | undefined): JsonObject {
    const cursor = this.#cursors.get(id);
    if (cursor === undefined) throw new ArangoError("cursorNotFound");
    if (batch !== undefined && Number(batch) === cursor.batch && cursor.allowRetry) {
      this.#keep(cursor);
      return cursor.last;
    }
    const isNext = batch === undefined || Number(batch) === cursor.batch + 1;
    if (!isNext || cursor.position >= cursor.values.length) throw new ArangoError("cursorNotFound");
    return this.#advance(cursor);
  }

  /** @throws ArangoError 1600 */
  delete(id: string): void {
    const cursor = this.#cursors.get(id);
    if (cursor === undefined) throw new ArangoError("cursorNotFound");
    this.#drop(cursor);
  }

  close(): void {
    for (const cursor of this.#cursors.values()) this.#drop(cursor);
  }

  #advance(cursor: Cursor): JsonObject {
    const end = cursor.position + cursor.batchSize;
    const result = cursor.values.slice(cursor.position, end);
    cursor.position = end;
    cursor.batch++;
    const hasMore = end < cursor.values.length;
    const isKept = hasMore || (cursor.allowRetry && cursor.batch > 1);
    cursor.last = {
      result,
      hasMore,
      ...(isKept ? { id: cursor.id } : {}),
      ...(hasMore && cursor.allowRetry ? { nextBatchId: String(cursor.batch + 1) } : {}),
      ...cursor.common,
    };
    if (isKept) this.#keep(cursor);
    else this.#drop(cursor);
    return cursor.last;
  }

  #keep(cursor: Cursor): void {
    clearTimeout(cursor.timer);
    cursor.timer = setTimeout(() => this.#drop(cursor), cursor.ttl * 1000);
    cursor.timer.unref();
    this.#cursors.set(cursor.id, cursor);
  }

  #drop(cursor: Cursor): void {
    clearTimeout(cursor.timer);
    this.#cursors.delete(cursor.id);
  }
}
