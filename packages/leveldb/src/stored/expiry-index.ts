import { beginsWith, CHECKSUM_LENGTH, checksum, checksumText } from "./checksum.ts";
import type { StoredValue } from "./entry.ts";
import type { Layout, StoredBounds } from "./layout.ts";

/** Keys that a record names at most: what a sweep deals with at once. */
const KEYS_PER_RECORD = 256;
/** Milliseconds within which deadlines share a record, at least; more where they are far away. */
const LEAST_WIDTH_LOG2 = 10;
/** Deadlines that are as far away as 2^n ms share a record within 2^(n - this) ms. */
const FINENESS_LOG2 = 4;
const TIME_DIGITS = 16;
const LAST_TIME = 10 ** TIME_DIGITS - 1;

/** A record of the index: keys that have to be looked at from a time on. */
export interface ExpiryRecord {
  readonly storedKey: string;
  /** Keys of entries, as they are stored. */
  readonly keys: readonly string[];
}

/**
 * Which keys may have expired, in order of time: `time-number` → a checksum and a JSON array of keys, as many as one batch wrote with
 * about the same deadline. One operation a batch, where an index entry a key would double the writes.
 *
 * What holds: every entry with a deadline is named by a record of that time or an earlier one. A record tells when to
 * look, not what to find: the entry may have gone, or been given a later deadline (whoever did so wrote nothing here).
 * Then the sweep, which finds it so, moves it to a record of that deadline.
 */
export class ExpiryIndex {
  readonly #layout: Layout;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** The records of all times up to this one. */
  until(now: number): StoredBounds {
    const { deadlines } = this.#layout;
    return { gte: deadlines, lt: deadlines + timeText(now + 1) };
  }

  /** `undefined`: it was altered, and nothing can be said of what it named. */
  parse(storedKey: string, value: string): ExpiryRecord | undefined {
    const content = value.slice(CHECKSUM_LENGTH);
    if (!beginsWith(value, checksum(storedKey, content))) return undefined;
    const names: readonly string[] = JSON.parse(content);
    return { storedKey, keys: names.map((name) => this.#layout.entries + name) };
  }

  /** Collects the keys of one batch. `number` gives a number never used before. */
  collect(now: number, number: () => string): RecordCollector {
    return new RecordCollector(this.#layout, now, number);
  }
}

interface Group {
  time: number;
  readonly keys: string[];
}

/** Puts keys with about the same deadline together. */
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

/** In the order of time. */
function timeText(time: number): string {
  return String(Math.min(LAST_TIME, Math.max(0, Math.floor(time)))).padStart(TIME_DIGITS, "0");
}
