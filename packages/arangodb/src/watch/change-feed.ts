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

/** Documents of the log that are read of each writer at once. */
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
  /** Of the writers in `seen` those that have nothing new any more. */
  gone: readonly string[],
  /** Whether the last note that was seen is still there. */
  intact: boolean,
];

/** What happened to one key, to be told as one change. */
interface Happened {
  readonly namespaceId: string;
  readonly key: string;
  readonly kinds: Set<Kind>;
}

/**
 * Tells this process's watchers of every process's changes, by looking every `interval` milliseconds, and soon after
 * every write of its own store, while there are watchers. A key that changed several times between two looks is told once,
 * as it is now. Passed deadlines are not in the log: each look searches for them.
 */
export class ChangeFeed {
  readonly #server: Server;
  readonly #layout: Layout;
  readonly #interval: number;
  readonly #watchers = new Watchers();
  /** The namespaces of those who are about to watch, too. */
  readonly #joining = new Map<string, number>();
  #position: Position | undefined;
  #timer: Timer | undefined;
  #polling: Promise<void> | undefined;
  /** The look behind the one that is on its way, for those who are about to watch. */
  #next: Promise<void> | undefined;
  #again = false;
  #closed = false;
  /** Something may have been missed: told as soon as it is known from where to go on. */
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

  /** After every write of this store: what it did is told soon. */
  written(): void {
    if (this.#watchers.size > 0) this.#schedule(0);
  }

  /** The log is another one, or has lost something. */
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
    // Without watchers there are no looks, and a later watcher begins anew.
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
    // What fails now is done by the next look: the position tells where to go on.
    await this.#poll().catch(() => undefined);
  }

  /**
   * A look that begins from now on: what is on its way concerns what happened before. All who come meanwhile share the next
   * one, however many they are.
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

  /** One look at a time. */
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
    // The server may have removed changes and expired entries meanwhile; or it was restored from a backup, which knows
    // nothing of what was told.
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

/** By document: what happened to it, in the order of the last time that something did. */
function happenedIn(news: readonly Note[], expired: Polled[3], since: number): ReadonlyMap<string, Happened> {
  const happened = new Map<string, Happened>();
  const add = (namespaceId: string, key: string, id: string, kind: Kind): void => {
    const kinds = happened.get(id)?.kinds ?? new Set();
    happened.delete(id);
    happened.set(id, { namespaceId, key, kinds: kinds.add(kind) });
  };
  for (const { changes } of news) {
    for (const [namespaceId, key, id, kind, expiresAt] of changes) {
      // A deadline that had passed at the last look was found then, even if another store removes the entry now.
      if (expiresAt === null || expiresAt > since) add(namespaceId, key, id, kind);
    }
  }
  for (const [namespaceId, key, id] of expired) add(namespaceId, key, id, "expire");
  return happened;
}

/** Whether some writer has more to tell than was read. */
function isFull(news: readonly Note[]): boolean {
  const counts = new Map<string, number>();
  for (const { writer } of news) counts.set(writer, (counts.get(writer) ?? 0) + 1);
  return [...counts.values()].some((count) => count >= PAGE);
}

/** `more`: some of the log behind this is still to be read. */
function changeOf(
  key: string,
  kinds: ReadonlySet<Kind>,
  entry: ArangoEntry | undefined,
  more: boolean,
): StoredChange | undefined {
  if (entry !== undefined)
    return { type: kinds.size === 1 && kinds.has("touch") ? "touch" : "set", key, entry };
  if (kinds.has("delete")) return { type: "delete", key };
  // It was taken out since: that is still to be read.
  if (more && !kinds.has("expire")) return undefined;
  return { type: "expire", key };
}
