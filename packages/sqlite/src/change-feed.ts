import { type Bounds, type ChangeListener, type Namespace, Watchers } from "@kv/core";
import type Sqlite from "better-sqlite3";
import type { WriteQueue } from "./busy.ts";
import type { ChangeLog } from "./change-log.ts";

/** Milliseconds between two signs of life. */
const SIGN_OF_LIFE_MS = 5000;
/** Changes after which a sign of life is due at once, so that they can be removed. */
const SIGN_OF_LIFE_CHANGES = 10_000;
/** Milliseconds of delivering after which the event loop gets a turn. */
const TURN_MS = 4;

interface Registration {
  readonly id: string;
  position: number;
  /** `position` and time of the last sign of life. */
  told: number;
  toldAt: number;
}

/**
 * Tells this process's watchers of every process's changes: of its own as soon as they are committed, of the others' by
 * looking every few milliseconds whether the file changed, which is a read of shared memory.
 */
export class ChangeFeed {
  readonly #log: ChangeLog;
  readonly #queue: WriteQueue;
  readonly #version: Sqlite.Statement<[], number>;
  /** Gives up the read snapshot; throws where the database cannot be read now. */
  readonly #refresh: () => void;
  readonly #interval: number;
  readonly #watchers = new Watchers();
  #users = 0;
  #joining: Promise<void> | undefined;
  #registration: Registration | undefined;
  #timer: NodeJS.Timeout | undefined;
  #seenVersion = -1;
  #scheduled = false;
  #reporting = false;
  #rejoining = false;

  constructor(
    db: Sqlite.Database,
    log: ChangeLog,
    queue: WriteQueue,
    options: { readonly refresh: () => void; readonly interval: number },
  ) {
    this.#log = log;
    this.#queue = queue;
    this.#version = db.prepare<[], number>("PRAGMA data_version").pluck().safeIntegers(false);
    this.#refresh = options.refresh;
    this.#interval = options.interval;
  }

  async watch(namespace: Namespace, bounds: Bounds, listener: ChangeListener): Promise<() => void> {
    this.#users++;
    try {
      this.#joining ??= this.#join();
      await this.#joining;
    } catch (error) {
      this.#joining = undefined;
      this.#users--;
      throw error;
    }
    // What happened before is not this watcher's.
    this.#poll();
    const end = this.#watchers.add(namespace, bounds, listener);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      end();
      this.#users--;
      if (this.#users === 0) this.#leave();
    };
  }

  /** After every write of this connection. */
  written(): void {
    if (this.#registration !== undefined) this.#schedule(queueMicrotask);
  }

  /** Ends everything. Where the database is locked the registration is left to be found dead. */
  close(): void {
    this.#users = 0;
    const registration = this.#stop();
    if (registration !== undefined) this.#quietly(() => this.#log.leave(registration.id));
  }

  async #join(): Promise<void> {
    const id = crypto.randomUUID();
    const position = await this.#queue.run(() => this.#log.join(id));
    this.#registration = { id, position, told: position, toldAt: Date.now() };
    this.#timer ??= setInterval(() => this.#poll(), this.#interval).unref();
    if (this.#users === 0) this.#leave();
  }

  #leave(): void {
    this.#joining = undefined;
    const registration = this.#stop();
    if (registration === undefined) return;
    this.#quietly(() => {
      const left = this.#queue.run(() => this.#log.leave(registration.id));
      if (left instanceof Promise) left.catch(() => undefined);
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
    clearInterval(this.#timer);
    this.#timer = undefined;
    const registration = this.#registration;
    this.#registration = undefined;
    return registration;
  }

  /** What fails now, because the database is locked or out of order, is done by the next poll: the position tells where to go on. */
  #quietly(work: () => void): void {
    try {
      work();
    } catch {
      this.#seenVersion = -1;
    }
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
      if (version !== this.#seenVersion) {
        this.#deliver();
        this.#seenVersion = version;
      }
      const { position, told, toldAt } = registration;
      if (Date.now() - toldAt >= SIGN_OF_LIFE_MS || position - told >= SIGN_OF_LIFE_CHANGES)
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
    const since = performance.now();
    for (let full = true; full && registration === this.#registration; ) {
      const page = this.#log.read(registration.position);
      registration.position = page.position;
      full = page.full;
      if (page.gap) this.#watchers.resync();
      for (const [namespaceId, changes] of page.changes) {
        if (this.#watchers.has(namespaceId)) this.#watchers.publish(namespaceId, changes);
      }
      if (full && performance.now() - since > TURN_MS) {
        this.#schedule(setImmediate);
        return;
      }
    }
  }

  #report(registration: Registration): void {
    if (this.#reporting) return;
    this.#reporting = true;
    registration.toldAt = Date.now();
    registration.told = registration.position;
    const reported = this.#queue.run(() => this.#log.signOfLife(registration.id, registration.told));
    const done = (known: boolean) => {
      this.#reporting = false;
      if (!known && registration === this.#registration) this.#rejoin();
    };
    if (reported instanceof Promise) reported.then(done, () => done(true));
    else done(reported);
  }

  /** This process was taken for dead, and what happened meanwhile may not have been noted. */
  #rejoin(): void {
    if (this.#rejoining) return;
    this.#rejoining = true;
    this.#registration = undefined;
    // Where it fails, the next poll tries again.
    this.#join()
      .then(
        () => this.#watchers.resync(),
        () => undefined,
      )
      .finally(() => {
        this.#rejoining = false;
      });
  }
}
