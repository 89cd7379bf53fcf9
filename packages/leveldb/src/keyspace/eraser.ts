import { type Filter, type Namespace, SliceSize, turn } from "@kv/core";
import type { Driver } from "../connection/driver.ts";
import { ABSENT } from "../stored/header.ts";
import type { Layout } from "../stored/layout.ts";
import type { Workspace } from "../write/workspace.ts";
import { SLICE_MS, type WriteQueue } from "../write/write-queue.ts";

/** Removes ranges, a slice at a time. */
export class Eraser {
  readonly #driver: Driver;
  readonly #layout: Layout;
  readonly #queue: WriteQueue;

  constructor(driver: Driver, layout: Layout, queue: WriteQueue) {
    this.#driver = driver;
    this.#layout = layout;
    this.#queue = queue;
  }

  /** Returns how many live entries were removed. */
  async clear(namespace: Namespace, filter: Filter): Promise<number> {
    const bounds = filter.descendants ? this.#layout.tree(namespace) : this.#layout.range(namespace, filter);
    const snapshot = this.#driver.snapshot();
    const size = new SliceSize(SLICE_MS, 32, 4, 512);
    let removed = 0;
    try {
      const found = snapshot.iterate(bounds, { values: false });
      for (;;) {
        const page = await found.nextv(size.current);
        if (page.length === 0) return removed;
        removed += await this.#queue.run((work) =>
          size.measure(() => page.reduce((count, [key]) => count + this.#remove(key, filter, work), 0)),
        );
        await turn();
      }
    } finally {
      await snapshot.close();
    }
  }

  /** Returns how many live entries that removed. */
  #remove(storedKey: string, { policy }: Filter, work: Workspace): 0 | 1 {
    const header = work.glance(storedKey);
    if (header.deadline === ABSENT) return 0;
    const live = work.isLive(header);
    if (live && policy !== undefined && header.evictable !== (policy === "evict")) return 0;
    work.remove(storedKey, header, false);
    if (!live) return 0;
    const { namespaceId, key } = this.#layout.parse(storedKey);
    if (work.isWatched(namespaceId)) work.publish({ id: namespaceId }, { type: "delete", key });
    return 1;
  }
}
