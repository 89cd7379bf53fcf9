import { type Filter, type MaybePromise, type Namespace, SliceSize } from "@kv/core";
import { pause, SLICE_MS, type WriteQueue } from "../connection/write-queue.ts";
import type { Namespaces } from "../stored/namespaces.ts";
import type { Eraser, Place } from "./eraser.ts";
import type { Vacated } from "./vacated.ts";

type Range = Pick<Filter, "start" | "end" | "policy">;

/** Clears namespaces in slices, between which other writers and the event loop get a turn. */
export class Clearing {
  readonly #eraser: Eraser;
  readonly #queue: WriteQueue;
  readonly #namespaces: Namespaces;
  readonly #vacated: Vacated;

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

  /** Returns how many live entries were removed. */
  clear(namespace: Namespace, filter: Filter): MaybePromise<number> {
    return filter.descendants ? this.#clearAll(namespace, filter.policy) : this.#clearOne(namespace, filter);
  }

  async #clearOne(namespace: Namespace, filter: Filter): Promise<number> {
    const id = await this.#queue.read(() => this.#namespaces.look(namespace));
    return id === undefined ? 0 : this.#erase(id, filter);
  }

  async #clearAll(namespace: Namespace, policy: Filter["policy"]): Promise<number> {
    const nextPage = this.#namespaces.within(namespace);
    let removed = 0;
    for (;;) {
      const ids = await this.#queue.read(nextPage);
      if (ids === undefined) return removed;
      for (let place: Place | undefined = { at: 0, start: "" }; place !== undefined; ) {
        const from: Place = place;
        const slices = await this.#queue.run(() => this.#eraser.several(ids, from, policy, SLICE_MS));
        removed += slices.removed;
        place = slices.next;
        await pause(0);
      }
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
      if (start !== undefined) await pause(0);
    }
    return removed;
  }
}
