import { CHANGES_KEPT_MS } from "../stored/layout.ts";
import type { Note } from "./feed-queries.ts";

/** Milliseconds by which the clocks of two coordinators may differ; a server's clock that goes back further was set. */
const SET_BACK_MS = 1000;

export interface Look {
  /** By the server's clock. */
  readonly now: number;
  readonly news: readonly Note[];
  /** Known writers that have nothing new any more. */
  readonly gone: readonly string[];
  /** Whether some of the log behind this is still to be read. */
  readonly more: boolean;
}

/** Up to where a store's watchers were told everything. */
export class Position {
  /** The time of the last look. */
  #now: number;
  /** The time of the last look that saw everything. */
  #watched: number;
  /** By writer: the number of its last statement. */
  readonly #seen = new Map<string, number>();
  /**
   * By writer that is not looked at any more: the same, and since when. Kept until its notes are out of the log: one whose
   * registration was removed by others registers again under the same name, and what it did before is not told twice.
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

  /** As the next look's parameters. */
  get asked(): Readonly<Record<"seen" | "since" | "watched" | "last", unknown>> {
    return {
      seen: Object.fromEntries(this.#seen),
      since: this.#now,
      watched: this.#watched,
      last: this.#last === undefined ? [null, null] : [this.#last.writer, this.#last.number],
    };
  }

  /** Whether a note of that time or later was seen, which the log must still have. */
  hadNoteSince(time: number): boolean {
    return this.#last !== undefined && this.#last.at > time;
  }

  /** The notes without those that were seen before their writer was gone. */
  unseen(notes: readonly Note[]): readonly Note[] {
    return notes.filter(({ writer, number }) => number > (this.#gone.get(writer)?.number ?? 0));
  }

  advance({ now, news, gone, more }: Look): void {
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
