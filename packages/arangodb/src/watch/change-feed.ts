import {
  type Bounds,
  type ChangeListener,
  type Namespace,
  type StoredChange,
  type Timer,
  timer,
  Watchers,
} from "@kv/core";
import type { Server } from "../connection/server.ts";
import { ArangoEntry, type Row } from "../stored/document.ts";
import { type Layout, WATCH_GAP_MS } from "../stored/layout.ts";
import { type Kind, type Note, POLL, POSITIONS } from "./feed-queries.ts";
import { Position } from "./watch-position.ts";

/** How many notes of each writer a poll reads. */
const PAGE = 64;

type Begun = readonly [
  now: number,
  positions: readonly (readonly [writer: string, number: number, at: number])[],
];

type Polled = readonly [
  now: number,
  news: readonly Note[],
  entries: readonly (readonly [id: string, row: Row])[],
  expired: readonly (readonly [namespaceId: string, key: string, id: string])[],
  /** The writers in `seen` that will have no more notes. */
  gone: readonly string[],
  /** Whether the last note that was seen still exists. */
  intact: boolean,
];

/** The changes of one key, reported as a single change. */
interface Happened {
  readonly namespaceId: string;
  readonly key: string;
  readonly kinds: Set<Kind>;
}

/**
 * Reports every process's changes to this process's watchers. While there are watchers, it polls every `interval` milliseconds,
 * and soon after every write of its own store. A key that changed several times between two polls is reported once, with its
 * present state. Passed deadlines are not in the log: each poll searches for them.
 */
export class ChangeFeed {
  readonly #server: Server;
  readonly #layout: Layout;
  readonly #interval: number;
  readonly #watchers = new Watchers();
  /** The namespaces of watchers that are joining, with their number. */
  readonly #joining = new Map<string, number>();
  #position: Position | undefined;
  #timer: Timer | undefined;
  #polling: Promise<void> | undefined;
  /** The poll after the one in progress, for joining watchers. */
  #next: Promise<void> | undefined;
  #again = false;
  #closed = false;
  /** Changes may have been missed: `resync` is reported once the new position is known. */
  #gap = false;

  constructor(server: Server, layout: Layout, interval: number) {
    this.#server = server;
    this.#layout = layout;
    this.#interval = interval;
  }

  async watch(namespace: Namespace, bounds: Bounds, listener: ChangeListener): Promise<() => void> {
    const { id } = namespace;
    this.#joining.set(id, (this.#joining.get(id) ?? 0) + 1);
    try {
      await this.#nextLook();
      const end = this.#watchers.add(namespace, bounds, listener);
      this.#schedule(this.#interval);
      return () => {
        end();
        if (this.#watchers.size === 0) this.#rest();
      };
    } finally {
      const left = (this.#joining.get(id) ?? 1) - 1;
      if (left === 0) this.#joining.delete(id);
      else this.#joining.set(id, left);
    }
  }

  /** Call it after every write of this store, to report its changes soon. */
  written(): void {
    if (this.#watchers.size > 0) this.#schedule(0);
  }

  /** Call it if the log was replaced, or has lost notes. */
  interrupted(): void {
    if (this.#position === undefined) return;
    this.#position = undefined;
    this.#gap = true;
    this.#schedule(0);
  }

  /** Ends everything. */
  close(): void {
    this.#closed = true;
    this.#rest();
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    // Without watchers there are no polls, and a later watcher begins anew.
    if (this.#joining.size > 0) return;
    this.#position = undefined;
    this.#gap = false;
  }

  #schedule(delay: number): void {
    if (this.#closed) return;
    if (this.#polling !== undefined) {
      if (delay === 0) this.#again = true;
      return;
    }
    this.#timer?.cancel();
    this.#timer = timer(() => void this.#look(), delay);
    this.#timer.hold(false);
  }

  async #look(): Promise<void> {
    // If this fails, the next poll continues from the same position.
    await this.#poll().catch(() => undefined);
  }

  /**
   * Waits for a poll that begins after this call: the one in progress may have missed later changes. All callers share the next
   * poll.
   */
  #nextLook(): Promise<void> {
    if (this.#polling === undefined) return this.#poll();
    this.#next ??= this.#polling
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#nextLook();
      });
    return this.#next;
  }

  /** Polls once; calls during a poll share it. */
  #poll(): Promise<void> {
    if (this.#polling !== undefined) return this.#polling;
    this.#polling = (this.#position === undefined ? this.#begin() : this.#tell(this.#position)).finally(
      () => {
        this.#polling = undefined;
        if (this.#watchers.size === 0) return;
        const delay = this.#again ? 0 : this.#interval;
        this.#again = false;
        this.#schedule(delay);
      },
    );
    return this.#polling;
  }

  async #begin(): Promise<void> {
    const [answer] = await this.#server.execute<Begun>(POSITIONS, {
      "@changes": this.#layout.changes,
      "@system": this.#layout.system,
    });
    if (answer === undefined) return;
    this.#position = new Position(...answer);
    if (!this.#gap) return;
    this.#gap = false;
    this.#watchers.resync();
  }

  async #tell(position: Position): Promise<void> {
    const namespaces = [...new Set([...this.#watchers.namespaces(), ...this.#joining.keys()])];
    const [answer] = await this.#server.execute<Polled>(POLL, {
      "@entries": this.#layout.entries,
      "@changes": this.#layout.changes,
      "@system": this.#layout.system,
      ...position.asked,
      namespaces,
      limit: PAGE,
    });
    if (answer === undefined || position !== this.#position) return;
    const [now, all, entries, expired, gone, intact] = answer;
    // The server may have removed notes and expired entries meanwhile, or it was restored from a backup, which lacks notes that
    // were reported.
    if (now - position.now > WATCH_GAP_MS || (!intact && position.hadNoteSince(now - WATCH_GAP_MS))) {
      this.interrupted();
      return;
    }
    const news = position.unseen(all);
    const happened = happenedIn(news, expired, position.now);
    const more = isFull(all);
    position.advance({ now, news, gone, more });
    if (more) this.#again = true;
    const states = new Map(entries.map(([id, row]) => [id, new ArangoEntry(row)]));
    const changes = new Map<string, StoredChange[]>();
    for (const [id, { namespaceId, key, kinds }] of happened) {
      const change = changeOf(key, kinds, states.get(id), more);
      if (change === undefined) continue;
      const list = changes.get(namespaceId);
      if (list === undefined) changes.set(namespaceId, [change]);
      else list.push(change);
    }
    for (const [namespaceId, list] of changes) this.#watchers.publish(namespaceId, list);
  }
}

/** The changes of each document, ordered by each one's last change. */
function happenedIn(news: readonly Note[], expired: Polled[3], since: number): ReadonlyMap<string, Happened> {
  const happened = new Map<string, Happened>();
  const add = (namespaceId: string, key: string, id: string, kind: Kind): void => {
    const kinds = happened.get(id)?.kinds ?? new Set();
    happened.delete(id);
    happened.set(id, { namespaceId, key, kinds: kinds.add(kind) });
  };
  for (const { changes } of news) {
    for (const [namespaceId, key, id, kind, expiresAt] of changes) {
      // A deadline that had passed by the last poll was found then, even if another store removes the entry now.
      if (expiresAt === null || expiresAt > since) add(namespaceId, key, id, kind);
    }
  }
  for (const [namespaceId, key, id] of expired) add(namespaceId, key, id, "expire");
  return happened;
}

/** Whether some writer has more notes than were read. */
function isFull(news: readonly Note[]): boolean {
  const counts = new Map<string, number>();
  for (const { writer } of news) counts.set(writer, (counts.get(writer) ?? 0) + 1);
  return [...counts.values()].some((count) => count >= PAGE);
}

/** `more`: later parts of the log are still to be read. */
function changeOf(
  key: string,
  kinds: ReadonlySet<Kind>,
  entry: ArangoEntry | undefined,
  more: boolean,
): StoredChange | undefined {
  if (entry !== undefined)
    return { type: kinds.size === 1 && kinds.has("touch") ? "touch" : "set", key, entry };
  if (kinds.has("delete")) return { type: "delete", key };
  // The entry was removed later: that note is still to be read.
  if (more && !kinds.has("expire")) return undefined;
  return { type: "expire", key };
}
