import type { CorruptEntry, Namespace, Payload, StoredChange, Watchers } from "@kv/core";
import type { Driver, Writes } from "../connection/driver.ts";
import {
  decodeEntry,
  encodeEntry,
  type Fields,
  type LeveldbEntry,
  type StoredValue,
} from "../stored/entry.ts";
import type { ExpiryIndex } from "../stored/expiry-index.ts";
import { ABSENT, absent, type Header, headerOf, NEVER } from "../stored/header.ts";
import type { Layout } from "../stored/layout.ts";
import type { Revisions } from "../stored/revisions.ts";
import type { HeaderCache } from "./header-cache.ts";

/** The parts that all batches share. */
export interface WorkspaceParts {
  readonly driver: Driver;
  readonly layout: Layout;
  readonly cache: HeaderCache;
  readonly revisions: Revisions;
  readonly index: ExpiryIndex;
  readonly watchers: Watchers;
  readonly clock: () => number;
}

/** What a batch will write for a key. */
interface Pending {
  readonly key: string;
  readonly header: Header;
  /** `null`: deleted; `undefined`: unchanged. */
  readonly value: StoredValue | null | undefined;
  /** Whether to cache the header once it is written. */
  readonly remember: boolean;
}

interface Publication {
  readonly namespaceId: string;
  readonly change: StoredChange;
}

/**
 * A batch in the making: the stored state, overlaid with the changes of earlier commits in the batch. Readers and watchers
 * see nothing of it until it is written.
 */
export class Workspace {
  readonly now: number;
  readonly nowText: string;
  readonly #parts: WorkspaceParts;
  readonly #pending = new Map<string, Pending>();
  readonly #deletions: string[] = [];
  readonly #publications: Publication[] = [];
  #undo: Map<string, Pending | undefined> | undefined;
  #bytes = 0;
  #deadlines = false;
  #writesRecord = false;

  constructor(parts: WorkspaceParts) {
    this.#parts = parts;
    this.now = parts.clock();
    this.nowText = String(this.now);
  }

  /** How many keys wait to be written; `bytes`: how many characters or bytes of values. */
  get keys(): number {
    return this.#pending.size;
  }
  get bytes(): number {
    return this.#bytes;
  }

  nextRevision(): string {
    return this.#parts.revisions.next();
  }

  header(storedKey: string): Header {
    const { cache } = this.#parts;
    const known = this.#pending.get(storedKey)?.header ?? cache.get(storedKey);
    if (known !== undefined) return known;
    const header = this.#load(storedKey);
    cache.set(storedKey, header);
    return header;
  }

  /** As `header`, but not cached: for a key that is unlikely to be asked for again. */
  glance(storedKey: string): Header {
    return this.#pending.get(storedKey)?.header ?? this.#parts.cache.get(storedKey) ?? this.#load(storedKey);
  }

  #load(storedKey: string): Header {
    return headerOf(this.#parts.driver.entry("", storedKey));
  }

  isLive({ deadline }: Header): boolean {
    return deadline > this.now;
  }

  entry(key: string, storedKey: string): LeveldbEntry | CorruptEntry | undefined {
    const value = this.#pending.get(storedKey)?.value;
    if (value === undefined) return this.#parts.driver.entry(key, storedKey);
    return value === null ? undefined : decodeEntry(key, storedKey, value);
  }

  /** `before`: the key's present header. */
  put(storedKey: string, before: Header, fields: Fields, payload: Payload): StoredValue {
    const value = encodeEntry(storedKey, fields, payload);
    const { revision, createdAt, expiresAt = NEVER, policy } = fields;
    const header: Header = {
      revision,
      createdAt,
      deadline: expiresAt,
      evictable: policy === "evict",
      watchedFrom: before.watchedFrom,
    };
    if (expiresAt !== NEVER) this.#deadlines = true;
    this.#bytes += value.length;
    this.#set({ key: storedKey, header, value, remember: true });
    return value;
  }

  /** Deletes the stored entry, live or not. */
  remove(storedKey: string, before: Header, remember = true): void {
    if (before.deadline === ABSENT) return;
    this.#set({ key: storedKey, header: absent(before.watchedFrom), value: null, remember });
  }

  /** Deletes an expired entry whose record in the expiry index is removed, too. */
  removeUnwatched(storedKey: string): void {
    this.#set({ key: storedKey, header: absent(NEVER), value: null, remember: false });
  }

  /** Notes that no record of the expiry index names the key any more; if it has a deadline, it gets a new record. */
  unwatched(storedKey: string, header: Header): void {
    const value = this.#pending.get(storedKey)?.value;
    this.#deadlines = true;
    this.#set({ key: storedKey, header: { ...header, watchedFrom: NEVER }, value, remember: false });
  }

  /** Deletes a stored value that is not an entry. */
  drop(storedKey: string): void {
    this.#deletions.push(storedKey);
  }

  #set(pending: Pending): void {
    const { key } = pending;
    if (this.#undo !== undefined && !this.#undo.has(key)) this.#undo.set(key, this.#pending.get(key));
    this.#pending.set(key, pending);
  }

  /** Does all of the work or, if it throws or `keep` refuses its result, none of it. */
  part<T>(work: () => T, keep: (result: T) => boolean): T {
    const undo = new Map<string, Pending | undefined>();
    const publications = this.#publications.length;
    this.#undo = undo;
    let kept = false;
    try {
      const result = work();
      kept = keep(result);
      return result;
    } finally {
      this.#undo = undefined;
      if (!kept) {
        this.#publications.length = publications;
        for (const [storedKey, before] of undo) {
          if (before === undefined) this.#pending.delete(storedKey);
          else this.#pending.set(storedKey, before);
        }
      }
    }
  }

  isWatched(namespaceId: string): boolean {
    return this.#parts.watchers.has(namespaceId);
  }

  /** Reports a change to watchers once the batch is written. */
  publish({ id }: Pick<Namespace, "id">, change: StoredChange): void {
    this.#publications.push({ namespaceId: id, change });
  }

  /** Returns the writes to make; `undefined`: none. Nothing may be added after that. */
  seal(): Writes | undefined {
    const puts: { key: string; value: StoredValue }[] = this.#deadlines ? this.#indexRecords() : [];
    const deletions = this.#deletions;
    for (const pending of this.#pending.values()) {
      const { key, value } = pending;
      if (value === null) deletions.push(key);
      else if (value !== undefined) puts.push(pending as typeof pending & { value: StoredValue });
    }
    if (puts.length > 0) {
      const { revisions, layout } = this.#parts;
      const record = revisions.record();
      if (record !== undefined) {
        puts.push({ key: layout.meta, value: record });
        this.#writesRecord = true;
      }
    } else if (deletions.length === 0) return undefined;
    return { puts, deletions };
  }

  #indexRecords(): { key: string; value: StoredValue }[] {
    const { index, revisions } = this.#parts;
    const collector = index.collect(this.now, () => revisions.next());
    for (const pending of this.#pending.values()) {
      const { key, header } = pending;
      const { deadline } = header;
      if (deadline === NEVER || deadline === ABSENT || header.watchedFrom <= deadline) continue;
      collector.add(key, deadline);
      // The record's time is this deadline or an earlier one.
      this.#pending.set(key, { ...pending, header: { ...header, watchedFrom: deadline } });
    }
    return collector.records();
  }

  /** Call once the batch is written. */
  settle(): void {
    const { cache, revisions, watchers } = this.#parts;
    if (this.#writesRecord) revisions.recorded();
    for (const { key, header, remember } of this.#pending.values()) {
      if (remember) cache.set(key, header);
      else cache.forget(key);
    }
    if (this.#publications.length === 0) return;
    for (const [namespaceId, changes] of byNamespace(this.#publications))
      watchers.publish(namespaceId, changes);
  }
}

function byNamespace(publications: readonly Publication[]): Map<string, StoredChange[]> {
  const changes = new Map<string, StoredChange[]>();
  for (const { namespaceId, change } of publications) {
    const theirs = changes.get(namespaceId);
    if (theirs === undefined) changes.set(namespaceId, [change]);
    else theirs.push(change);
  }
  return changes;
}
