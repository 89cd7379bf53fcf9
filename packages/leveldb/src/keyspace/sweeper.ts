import { SliceSize, turn } from "@kv/core";
import type { Driver } from "../connection/driver.ts";
import type { ExpiryIndex, ExpiryRecord } from "../stored/expiry-index.ts";
import { ABSENT } from "../stored/header.ts";
import type { Layout } from "../stored/layout.ts";
import type { Workspace } from "../write/workspace.ts";
import { SLICE_MS, type WriteQueue } from "../write/write-queue.ts";

/** Records read at a time. */
const PAGE = 16;

/** Deletes expired entries, found by the expiry index: the cost depends on how many are due. */
export class Sweeper {
  readonly #driver: Driver;
  readonly #layout: Layout;
  readonly #index: ExpiryIndex;
  readonly #queue: WriteQueue;
  readonly #clock: () => number;
  #running: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(
    parts: {
      readonly driver: Driver;
      readonly layout: Layout;
      readonly index: ExpiryIndex;
      readonly queue: WriteQueue;
    },
    clock: () => number,
  ) {
    this.#driver = parts.driver;
    this.#layout = parts.layout;
    this.#index = parts.index;
    this.#queue = parts.queue;
    this.#clock = clock;
  }

  /** Returns how many entries were removed. Sweeps run one after the other: two at once would handle the same records. */
  sweep(): Promise<number> {
    const swept = this.#running.then(() => this.#sweep());
    this.#running = swept.catch(() => undefined);
    return swept;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #sweep(): Promise<number> {
    if (this.#stopped) return 0;
    const snapshot = this.#driver.snapshot();
    const size = new SliceSize(SLICE_MS, 32, 4, 256);
    let removed = 0;
    try {
      const records = snapshot.iterate(this.#index.until(this.#clock()), { values: true });
      for (;;) {
        const page = await records.nextv(PAGE);
        if (page.length === 0) return removed;
        for (const [storedKey, value] of page) {
          const record = this.#index.parse(storedKey, value);
          if (record === undefined) continue;
          for (let from = 0; from < record.keys.length; ) {
            if (this.#stopped) return removed;
            const keys = record.keys.slice(from, from + size.current);
            from += keys.length;
            removed += await this.#queue.run((work) =>
              size.measure(() => this.#slice({ storedKey, keys }, from >= record.keys.length, work)),
            );
            await turn();
          }
        }
      }
    } finally {
      await snapshot.close();
    }
  }

  /** The record goes with the last of its keys. */
  #slice({ storedKey, keys }: ExpiryRecord, last: boolean, work: Workspace): number {
    let removed = 0;
    for (const key of keys) {
      const header = work.glance(key);
      if (header.deadline !== ABSENT && !work.isLive(header)) {
        this.#publish(key, work);
        work.removeUnwatched(key);
        removed++;
      } else work.unwatched(key, header);
    }
    if (last) work.drop(storedKey);
    return removed;
  }

  #publish(storedKey: string, work: Workspace): void {
    const { namespaceId, key } = this.#layout.parse(storedKey);
    if (work.isWatched(namespaceId)) work.publish({ id: namespaceId }, { type: "expire", key });
  }
}
