import { CHANGES_KEPT_MS } from "../stored/layout.ts";
import type { Note } from "./feed-queries.ts";

/** Milliseconds that the clocks of two coordinators may differ; a clock that goes back further was set. */
const SET_BACK_MS = 1000;

/** The result of one poll. */
export interface Poll {
  /** The server's time. */
  readonly now: number;
  readonly news: readonly Note[];
  /** Known writers that will have no more notes. */
  readonly gone: readonly string[];
  /** Whether later parts of the log are still to be read. */
  readonly more: boolean;
}

/** The place in the log up to which a store's watchers have received everything. */
export class Position {
  /** The time of the last poll. */
  #now: number;
  /** The time of the last poll that read everything. */
  #watched: number;
  /** The number of each writer's last statement. */
  readonly #seen = new Map<string, number>();
  /**
   * The same number for each writer that is no longer checked, and since when. Kept until its notes have left the log: a writer
   * whose registration was removed registers again under the same name, and its earlier notes must not be reported twice.
   */
  readonly #gone = new Map<string, { readonly number: number; readonly since: number }>();
  #last: Pick<Note, "writer" | "number" | "at"> | undefined;

  constructor(now: number, positions: readonly (readonly [writer: string, number: number, at: number])[]) {
    this.#now = now;
    this.#watched = now;
    for (const [writer, number, at] of positions) {
      this.#seen.set(writer, number);
      this.#note({ writer, number, at });
    }
  }

  get now(): number {
    return this.#now;
  }

  /** The next poll's parameters. */
  get asked(): Readonly<Record<"seen" | "since" | "watched" | "last", unknown>> {
    return {
      seen: Object.fromEntries(this.#seen),
      since: this.#now,
      watched: this.#watched,
      last: this.#last === undefined ? [null, null] : [this.#last.writer, this.#last.number],
    };
  }

  /** Whether a note after that time was seen, which the log must still hold. */
  hadNoteSince(time: number): boolean {
    return this.#last !== undefined && this.#last.at > time;
  }

  /** The notes without those that were seen before their writer left. */
  unseen(notes: readonly Note[]): readonly Note[] {
    return notes.filter(({ writer, number }) => number > (this.#gone.get(writer)?.number ?? 0));
  }

  advance({ now, news, gone, more }: Poll): void {
    for (const note of news) {
      this.#seen.set(note.writer, Math.max(note.number, this.#seen.get(note.writer) ?? 0));
      this.#gone.delete(note.writer);
      this.#note(note);
    }
    for (const writer of gone) {
      const number = this.#seen.get(writer);
      if (number === undefined) continue;
      this.#seen.delete(writer);
      this.#gone.set(writer, { number, since: now });
    }
    for (const [writer, { since }] of this.#gone) {
      if (now - since > 2 * CHANGES_KEPT_MS) this.#gone.delete(writer);
    }
    this.#now = now < this.#now - SET_BACK_MS ? now : Math.max(now, this.#now);
    if (!more) this.#watched = this.#now;
  }

  #note({ writer, number, at }: Pick<Note, "writer" | "number" | "at">): void {
    if (this.#last === undefined || at >= this.#last.at) this.#last = { writer, number, at };
  }
}
