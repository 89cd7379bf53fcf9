import { type Bounds, compareKeys } from "@kv/core";

/** The most items of a block. Larger blocks mean more items to move, smaller ones more blocks to count. */
const CAPACITY = 256;
/** For these units (surrogates and all after them) JavaScript's order of strings differs from the order by code point. */
const HIGH = /[\ud800-\uffff]/;

/** An item's place: the first one at or after some key. */
interface Position {
  readonly block: number;
  readonly index: number;
}

/**
 * Items in the order of their keys, by code point: a list of blocks, each a sorted array. Finding is two binary
 * searches, inserting moves half a block, and a range lies side by side.
 */
export class SortedKeys<T extends { readonly key: string }> {
  readonly #blocks: T[][] = [[]];
  /** For each block a string that is at or before all its keys, and after all keys of the block before. The first is `""`. */
  readonly #starts: string[] = [""];
  /** Whether any key was ever "high". Until then JavaScript's own comparison, which is much faster, is correct. */
  #high = false;

  /** The item's key must be new. */
  insert(item: T): void {
    const { key } = item;
    if (!this.#high && HIGH.test(key)) this.#high = true;
    const at = this.#blockOf(key);
    const block = this.#block(at);
    const last = block[block.length - 1];
    if (last === undefined || this.#before(last.key, key)) block.push(item);
    else block.splice(this.#indexIn(block, key), 0, item);
    if (block.length > CAPACITY) this.#split(at, item);
  }

  delete(key: string): void {
    const { block: at, index } = this.#position(key);
    const block = this.#block(at);
    if (block[index]?.key !== key) return;
    // Queues delete at the front, and there `shift` moves nothing.
    if (index === 0) block.shift();
    else block.splice(index, 1);
    this.#join(at);
  }

  /** The number of keys within the bounds. */
  count(bounds: Bounds): number {
    return Math.max(0, this.#rank(this.#endOf(bounds)) - this.#rank(this.#position(bounds.start)));
  }

  /** Calls the visitor with each item within the bounds until it returns `false`. The visitor must not change anything. */
  visit(bounds: Bounds, reverse: boolean, visitor: (item: T) => boolean): void {
    const from = this.#position(bounds.start);
    const to = this.#endOf(bounds);
    if (reverse) this.#visitDown(from, to, visitor);
    else this.#visitUp(from, to, visitor);
  }

  /** Removes and returns the chosen items within the bounds. */
  extract(bounds: Bounds, chosen: (item: T) => boolean): T[] {
    const extracted: T[] = [];
    const from = this.#position(bounds.start);
    const to = this.#endOf(bounds);
    const lastBlock = Math.min(to.block, this.#blocks.length - 1);
    for (let at = from.block; at <= lastBlock; at++) {
      const block = this.#block(at);
      const first = at === from.block ? from.index : 0;
      const end = at === to.block ? to.index : block.length;
      this.#blocks[at] = block.filter((item, index) => {
        if (index < first || index >= end || !chosen(item)) return true;
        extracted.push(item);
        return false;
      });
    }
    // From the last block on, so that joining does not move blocks that are still to be joined.
    for (let at = lastBlock; at >= from.block; at--) this.#join(at);
    return extracted;
  }

  #visitUp(from: Position, to: Position, visitor: (item: T) => boolean): void {
    for (let at = from.block; at <= to.block && at < this.#blocks.length; at++) {
      const block = this.#block(at);
      const end = at === to.block ? to.index : block.length;
      for (let index = at === from.block ? from.index : 0; index < end; index++) {
        if (!visitor(block[index] as T)) return;
      }
    }
  }

  #visitDown(from: Position, to: Position, visitor: (item: T) => boolean): void {
    for (let at = Math.min(to.block, this.#blocks.length - 1); at >= from.block; at--) {
      const block = this.#block(at);
      const first = at === from.block ? from.index : 0;
      for (let index = (at === to.block ? to.index : block.length) - 1; index >= first; index--) {
        if (!visitor(block[index] as T)) return;
      }
    }
  }

  #block(at: number): T[] {
    return this.#blocks[at] as T[];
  }

  #before(a: string, b: string): boolean {
    return this.#high ? compareKeys(a, b) < 0 : a < b;
  }

  /** The index of the block that has a key, or would have it. */
  #blockOf(key: string): number {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length - 1;
    // Keys often come in ascending order.
    if (!this.#before(key, starts[high] as string)) return high;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#before(key, starts[middle] as string)) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  /** The index of the first item at or after a key. */
  #indexIn(block: readonly T[], key: string): number {
    let low = 0;
    let high = block.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#before((block[middle] as T).key, key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #position(key: string): Position {
    const block = this.#blockOf(key);
    return { block, index: this.#indexIn(this.#block(block), key) };
  }

  #endOf(bounds: Bounds): Position {
    return bounds.end === undefined ? { block: this.#blocks.length, index: 0 } : this.#position(bounds.end);
  }

  /** The number of items before a position. */
  #rank(position: Position): number {
    let rank = position.index;
    for (let at = 0; at < position.block; at++) rank += this.#block(at).length;
    return rank;
  }

  #split(at: number, inserted: T): void {
    const block = this.#block(at);
    // After an append no items are moved, so that ascending keys leave full blocks.
    const appended = at === this.#blocks.length - 1 && block[block.length - 1] === inserted;
    const right = block.splice(appended ? CAPACITY : block.length >>> 1);
    this.#blocks.splice(at + 1, 0, right);
    this.#starts.splice(at + 1, 0, (right[0] as T).key);
  }

  /** Joins a block that has become small with the next one, or the one before it. */
  #join(at: number): void {
    const { length } = this.#block(at);
    if (length > CAPACITY / 4 || this.#blocks.length === 1) return;
    const left = at + 1 < this.#blocks.length ? at : at - 1;
    const right = this.#block(left + 1);
    const together = this.#block(left).length + right.length;
    // Half a block at most, so that the next few insertions don't split it again.
    if (length > 0 && together > CAPACITY / 2) return;
    this.#block(left).push(...right);
    this.#blocks.splice(left + 1, 1);
    this.#starts.splice(left + 1, 1);
  }
}
