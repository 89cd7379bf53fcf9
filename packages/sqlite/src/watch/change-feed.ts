import {
  type Bounds,
  backgroundInterval,
  type ChangeListener,
  isPromise,
  type MaybePromise,
  monotonicNow,
  type Namespace,
  nextTurn,
  Watchers,
} from "@kv/core";
import type Sqlite from "better-sqlite3";
import { LostFiles } from "../connection/file-guard.ts";
import type { WriteQueue } from "../connection/write-queue.ts";
import { isSameBlock, NO_REVISIONS, type RevisionBlock } from "../write/revision-blocks.ts";
import type { ChangeLog } from "./change-log.ts";

/** Milliseconds between two signs of life. */
const SIGN_OF_LIFE_MS = 5000;
/** Delivered changes after which a sign of life is due at once, so that they can be removed. */
const SIGN_OF_LIFE_CHANGES = 10_000;
/** Milliseconds of delivering after which the event loop gets a turn. */
const TURN_MS = 4;

interface Registration {
  readonly id: string;
  position: number;
  /** `position` and time as of the last sign of life. */
  reported: number;
  reportedAt: number;
  /** As last given to `ChangeLog.disown`. */
  unwanted: RevisionBlock;
}

/**
 * Delivers every process's changes to this process's watchers: its own as soon as they are committed, the others' by
 * checking every few milliseconds whether the file has changed, which is a read of shared memory.
 */
export class ChangeFeed {
  readonly #log: ChangeLog;
  readonly #queue: WriteQueue;
  readonly #version: Sqlite.Statement<[], number>;
  /** Ends the read snapshot; throws if the database cannot be read now. */
  readonly #refresh: () => void;
  readonly #interval: number;
  /** The revisions that this connection gives out. */
  readonly #revisions: () => RevisionBlock;
  readonly #watchers = new Watchers();
  #users = 0;
  /** Users that want this connection's own changes, too. */
  #curious = 0;
  /** This connection wrote, and no user wants its own changes: the next poll delivers. */
  #behind = false;
  #joining: Promise<void> | undefined;
  #registration: Registration | undefined;
  #stopPolling: (() => void) | undefined;
  #seenVersion = -1;
  #scheduled = false;
  #reporting = false;
  #rejoining = false;
  #lost = false;

  constructor(
    db: Sqlite.Database,
    log: ChangeLog,
    queue: WriteQueue,
    options: {
      readonly refresh: () => void;
      readonly interval: number;
      readonly revisions: () => RevisionBlock;
    },
  ) {
    this.#log = log;
    this.#queue = queue;
    this.#version = db.prepare<[], number>("PRAGMA data_version").pluck().safeIntegers(false);
    this.#refresh = options.refresh;
    this.#interval = options.interval;
    this.#revisions = options.revisions;
  }

  async watch(
    namespace: Namespace,
    bounds: Bounds,
    listener: ChangeListener,
    othersOnly: boolean,
  ): Promise<() => void> {
    const curious = othersOnly ? 0 : 1;
    // Earlier changes go to the earlier watchers only.
    if (this.#registration !== undefined) this.#poll();
    const end = this.#watchers.add(namespace, bounds, listener);
    this.#users++;
    this.#curious += curious;
    let ended = false;
    const leave = () => {
      if (ended) return;
      ended = true;
      end();
      this.#users--;
      this.#curious -= curious;
      if (this.#users === 0) this.#leave();
      else this.#agreeSometime();
    };
    try {
      await this.#joined();
      await this.#agree();
      return leave;
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** After every write of this connection. */
  written(): void {
    if (this.#registration === undefined) return;
    if (this.#curious > 0) this.#schedule(soon);
    else this.#behind = true;
  }

  /** Ends all watches. If the database is locked, the registration stays, and is removed as dead later. */
  close(): void {
    this.#users = 0;
    this.#curious = 0;
    const registration = this.#stop();
    if (registration !== undefined) this.#quietly(() => this.#log.leave(registration.id));
  }

  async #joined(): Promise<void> {
    const joining = this.#joining ?? this.#join();
    this.#joining = joining;
    try {
      await joining;
    } catch (error) {
      if (this.#joining === joining) this.#joining = undefined;
      throw error;
    }
  }

  async #join(): Promise<void> {
    const id = crypto.randomUUID();
    this.#registration = await this.#queue.run((): Registration => {
      const unwanted = this.#unwanted;
      const position = this.#log.join(id, unwanted);
      return { id, position, reported: position, reportedAt: Date.now(), unwanted };
    });
    this.#stopPolling ??= backgroundInterval(() => this.#poll(), this.#interval);
    if (this.#users === 0) this.#leave();
  }

  /** The revisions of changes that no watcher here wants. */
  get #unwanted(): RevisionBlock {
    return this.#curious > 0 ? NO_REVISIONS : this.#revisions();
  }

  /** Ensures that the wanted changes are recorded. */
  #agree(): MaybePromise<void> {
    const registration = this.#registration;
    if (registration === undefined || isSameBlock(registration.unwanted, this.#unwanted)) return;
    return this.#queue.run(() => {
      if (registration !== this.#registration) return;
      // Computed now, and not when this began to wait for its turn.
      const unwanted = this.#unwanted;
      this.#log.disown(registration.id, unwanted);
      registration.unwanted = unwanted;
    });
  }

  /** Recording more than is wanted does no harm: if this fails, the next poll tries again. */
  #agreeSometime(): void {
    this.#quietly(() => {
      const agreed = this.#agree();
      if (isPromise(agreed)) agreed.catch(() => undefined);
    });
  }

  #leave(): void {
    this.#joining = undefined;
    const registration = this.#stop();
    if (registration === undefined) return;
    this.#quietly(() => {
      const left = this.#queue.run(() => this.#log.leave(registration.id));
      if (isPromise(left)) left.catch(() => undefined);
    });
  }

  #schedule(later: (callback: () => void) => void): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    later(() => {
      this.#scheduled = false;
      this.#quietly(() => this.#deliver());
    });
  }

  #stop(): Registration | undefined {
    this.#stopPolling?.();
    this.#stopPolling = undefined;
    const registration = this.#registration;
    this.#registration = undefined;
    return registration;
  }

  /** Work that fails because the database is locked or out of order is redone by the next poll, from `position` on. */
  #quietly(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#seenVersion = -1;
      if (error instanceof LostFiles) this.#lose();
    }
  }

  /** No more changes will come. Watchers read again, and get the reason as the error. */
  #lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#watchers.resync();
  }

  #poll(): void {
    this.#quietly(() => {
      const registration = this.#registration;
      if (registration === undefined) {
        this.#rejoin();
        return;
      }
      this.#refresh();
      const version = this.#version.get() ?? 0;
      if (version !== this.#seenVersion || this.#behind) {
        this.#behind = false;
        this.#deliver();
        this.#seenVersion = version;
      }
      this.#agreeSometime();
      const { position, reported, reportedAt } = registration;
      if (Date.now() - reportedAt >= SIGN_OF_LIFE_MS || position - reported >= SIGN_OF_LIFE_CHANGES)
        this.#report(registration);
    });
  }

  #deliver(): void {
    const registration = this.#registration;
    if (registration === undefined) return;
    this.#refresh();
    if (!this.#log.isKnown(registration.id)) {
      this.#rejoin();
      return;
    }
    const since = monotonicNow();
    for (let full = true; full && registration === this.#registration; ) {
      const page = this.#log.read(registration.position);
      registration.position = page.position;
      full = page.full;
      if (page.gap) this.#watchers.resync();
      for (const [namespaceId, changes] of page.changes) {
        if (this.#watchers.has(namespaceId)) this.#watchers.publish(namespaceId, changes);
      }
      if (full && monotonicNow() - since > TURN_MS) {
        this.#schedule(nextTurn);
        return;
      }
    }
  }

  #report(registration: Registration): void {
    if (this.#reporting) return;
    this.#reporting = true;
    registration.reportedAt = Date.now();
    registration.reported = registration.position;
    const reported = this.#queue.run(() => this.#log.signOfLife(registration.id, registration.reported));
    const done = (known: boolean) => {
      this.#reporting = false;
      if (!known && registration === this.#registration) this.#rejoin();
    };
    if (isPromise(reported)) reported.then(done, () => done(true));
    else done(reported);
  }

  /** This process was taken for dead, so changes since then may not have been recorded. */
  #rejoin(): void {
    if (this.#rejoining) return;
    this.#rejoining = true;
    this.#registration = undefined;
    // If it fails, the next poll tries again.
    this.#join()
      .then(() => this.#agree())
      .then(
        () => this.#watchers.resync(),
        () => undefined,
      )
      .finally(() => {
        this.#rejoining = false;
      });
  }
}

/** As `queueMicrotask`, which a test may have faked. */
function soon(callback: () => void): void {
  void Promise.resolve().then(callback);
}
