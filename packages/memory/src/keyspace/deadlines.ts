import type { Cell } from "../stored/keyspace.ts";

/**
 * The cells whose entry has a deadline, as a binary heap with the earliest filed time on top. A cell is filed once, at its
 * deadline or earlier. A later deadline leaves it where it is, so that refreshing a session costs nothing here; it is
 * refiled when it gets to the top. Each cell knows its index, so that it can be removed at once when it has no deadline any
 * more, and nothing has to be cleaned up later.
 */
export class Deadlines {
  /** The time at which the cell at the same index is filed. */
  readonly #times: number[] = [];
  readonly #cells: Cell[] = [];

  get size(): number {
    return this.#cells.length;
  }

  file(cell: Cell, due: number): void {
    const at = cell.filed;
    if (at === -1) this.#rise(this.#cells.length, due, cell);
    else if (due < (this.#times[at] as number)) this.#rise(at, due, cell);
  }

  /** No-op if the cell is not filed. */
  remove(cell: Cell): void {
    const at = cell.filed;
    if (at === -1) return;
    cell.filed = -1;
    const time = this.#times.pop() as number;
    const last = this.#cells.pop() as Cell;
    if (last === cell) return;
    if (at > 0 && time < (this.#times[(at - 1) >>> 1] as number)) this.#rise(at, time, last);
    else this.#sink(at, time, last);
  }

  /** The top cell, if it is filed at `now` or before: it is due, or must be refiled. */
  first(now: number): Cell | undefined {
    return this.#cells.length > 0 && (this.#times[0] as number) <= now ? this.#cells[0] : undefined;
  }

  /** Files the top cell at its present deadline, which is not earlier than the time it was filed at. */
  refileFirst(): void {
    const cell = this.#cells[0];
    if (cell?.entry.due !== undefined) this.#sink(0, cell.entry.due, cell);
  }

  /** All cells whose entry has expired. */
  due(now: number): Cell[] {
    const due: Cell[] = [];
    const indices = [0];
    for (let at = indices.pop(); at !== undefined; at = indices.pop()) {
      const cell = this.#cells[at];
      if (cell === undefined || (this.#times[at] as number) > now) continue;
      if (cell.entry.isDue(now)) due.push(cell);
      indices.push(2 * at + 1, 2 * at + 2);
    }
    return due;
  }

  #place(at: number, time: number, cell: Cell): void {
    this.#times[at] = time;
    this.#cells[at] = cell;
    cell.filed = at;
  }

  /** Places a cell at `from` or, while it is earlier than the cell above, higher up. */
  #rise(from: number, time: number, cell: Cell): void {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >>> 1;
      const aboveTime = this.#times[above] as number;
      if (aboveTime <= time) break;
      this.#place(at, aboveTime, this.#cells[above] as Cell);
      at = above;
    }
    this.#place(at, time, cell);
  }

  /** Places a cell at `from` or, while it is later than a cell below, further down. */
  #sink(from: number, time: number, cell: Cell): void {
    const { length } = this.#cells;
    let at = from;
    for (let below = 2 * at + 1; below < length; below = 2 * at + 1) {
      const right = below + 1;
      if (right < length && (this.#times[right] as number) < (this.#times[below] as number)) below = right;
      const belowTime = this.#times[below] as number;
      if (belowTime >= time) break;
      this.#place(at, belowTime, this.#cells[below] as Cell);
      at = below;
    }
    this.#place(at, time, cell);
  }
}
