import { type Filter, type MaybePromise, monotonicNow, type Namespace, SliceSize } from "@kv/core";
import { pause, type WriteQueue } from "./busy.ts";
import type { Eraser } from "./eraser.ts";
import type { Namespaces } from "./namespaces.ts";
import { SLICE_MS } from "./slice-time.ts";
import type { Vacated } from "./vacated.ts";

type Range = Pick<Filter, "start" | "end" | "policy">;

/** Clears namespaces in slices, between which other writers and the event loop get a turn. */
export class Clearing {
  readonly #eraser: Eraser;
  readonly #queue: WriteQueue;
  readonly #namespaces: Namespaces;
  readonly #vacated: Vacated;
  #lastPause = monotonicNow();

  constructor(parts: {
    readonly eraser: Eraser;
    readonly queue: WriteQueue;
    readonly namespaces: Namespaces;
    readonly vacated: Vacated;
  }) {
    this.#eraser = parts.eraser;
    this.#queue = parts.queue;
    this.#namespaces = parts.namespaces;
    this.#vacated = parts.vacated;
  }

  /** → how many live entries were removed. */
  clear(namespace: Namespace, filter: Filter): MaybePromise<number> {
    return filter.descendants ? this.#clearAll(namespace, filter.policy) : this.#clearOne(namespace, filter);
  }

  async #clearOne(namespace: Namespace, filter: Filter): Promise<number> {
    const id = await this.#queue.read(() => this.#namespaces.look(namespace));
    return id === undefined ? 0 : this.#erase(id, filter);
  }

  async #clearAll(namespace: Namespace, policy: Filter["policy"]): Promise<number> {
    const next = this.#namespaces.within(namespace);
    const everything = { start: "", end: undefined, policy };
    let removed = 0;
    for (;;) {
      const ids = await this.#queue.read(next);
      if (ids === undefined) return removed;
      for (const id of ids) removed += await this.#erase(id, everything);
      await this.#vacated.remove(ids);
    }
  }

  async #erase(id: number, range: Range): Promise<number> {
    const size = new SliceSize(SLICE_MS, 512, 16, 2 ** 14);
    let removed = 0;
    for (let start: string | undefined = range.start; start !== undefined; ) {
      const from: string = start;
      const slice = await this.#queue.run(() =>
        size.measure(() => this.#eraser.slice(id, { ...range, start: from }, size.current)),
      );
      removed += slice.removed;
      start = slice.next;
      if (start === undefined && monotonicNow() - this.#lastPause < SLICE_MS) break;
      await pause(0);
      this.#lastPause = monotonicNow();
    }
    return removed;
  }
}
