import { beginsWith, CHECKSUM_LENGTH, checksum, checksumText } from "./checksum.ts";
import type { StoredValue } from "./entry.ts";
import type { Layout, StoredBounds } from "./layout.ts";

/** The most keys that a record names: a sweep handles a record as a whole. */
const KEYS_PER_RECORD = 256;
/** Deadlines within 2^this ms share a record; far ones within more. */
const LEAST_WIDTH_LOG2 = 10;
/** Deadlines that are as far away as 2^n ms share a record within 2^(n - this) ms. */
const FINENESS_LOG2 = 4;
const TIME_DIGITS = 16;
const LAST_TIME = 10 ** TIME_DIGITS - 1;

/** A record of the index: keys to look at from a time on. */
export interface ExpiryRecord {
  readonly storedKey: string;
  /** Keys of entries, as they are stored. */
  readonly keys: readonly string[];
}

/**
 * Which keys may have expired, in order of time. Under `time-number` lies a checksum and a JSON array of the keys that one
 * batch wrote with about the same deadline: one operation a batch, while an index entry for each key would double the writes.
 *
 * The invariant: every entry with a deadline is named by a record of that time or an earlier one. A record only says when to
 * look: the entry may be gone, or have a later deadline (extending it writes nothing here). The sweep that finds a later
 * deadline moves the key to a record of that time.
 */
export class ExpiryIndex {
  readonly #layout: Layout;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** The records of all times up to `now`. */
  until(now: number): StoredBounds {
    const { deadlines } = this.#layout;
    return { gte: deadlines, lt: deadlines + timeText(now + 1) };
  }

  /** `undefined`: the record was altered, and its keys are unknown. */
  parse(storedKey: string, value: string): ExpiryRecord | undefined {
    const content = value.slice(CHECKSUM_LENGTH);
    if (!beginsWith(value, checksum(storedKey, content))) return undefined;
    const names: readonly string[] = JSON.parse(content);
    return { storedKey, keys: names.map((name) => this.#layout.entries + name) };
  }

  /** Collects the keys of one batch. `number` returns a text never used before. */
  collect(now: number, number: () => string): RecordCollector {
    return new RecordCollector(this.#layout, now, number);
  }
}

interface Group {
  time: number;
  readonly keys: string[];
}

/** Groups keys with about the same deadline. */
export class RecordCollector {
  readonly #layout: Layout;
  readonly #now: number;
  readonly #number: () => string;
  readonly #groups = new Map<string, Group>();
  readonly #full: Group[] = [];

  constructor(layout: Layout, now: number, number: () => string) {
    this.#layout = layout;
    this.#now = now;
    this.#number = number;
  }

  add(storedKey: string, deadline: number): void {
    const name = this.#groupName(deadline);
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { time: deadline, keys: [] };
      this.#groups.set(name, group);
    }
    group.time = Math.min(group.time, deadline);
    group.keys.push(storedKey.slice(this.#layout.entries.length));
    if (group.keys.length < KEYS_PER_RECORD) return;
    this.#full.push(group);
    this.#groups.delete(name);
  }

  records(): { key: string; value: StoredValue }[] {
    return [...this.#full, ...this.#groups.values()].map(({ time, keys }) => {
      const key = `${this.#layout.deadlines}${timeText(time)}-${this.#number()}`;
      const content = JSON.stringify(keys);
      return { key, value: checksumText(checksum(key, content)) + content };
    });
  }

  #groupName(deadline: number): string {
    const away = Math.log2(Math.max(1, deadline - this.#now));
    const width = 2 ** Math.max(LEAST_WIDTH_LOG2, Math.floor(away) - FINENESS_LOG2);
    return `${width} ${Math.floor(deadline / width)}`;
  }
}

/** Text that sorts in the order of time. */
function timeText(time: number): string {
  return String(Math.min(LAST_TIME, Math.max(0, Math.floor(time)))).padStart(TIME_DIGITS, "0");
}
