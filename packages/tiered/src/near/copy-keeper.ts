import { type Adapter, after, type Bounds, monotonicNow, type Namespace, rescued } from "@kv/core";
import { Copies } from "./copies.ts";
import type { NearTier } from "./near-tier.ts";

const EVERYTHING: Bounds = { start: "", end: undefined };
/** The most namespaces with copies at a time. Each is watched; the oldest one is dropped first. */
const MOST_NAMESPACES = 1024;
/** Milliseconds until a namespace that could not be watched is tried again: doubled each time, up to `LAST_RETRY_MS`. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5000;

interface Kept {
  readonly copies: Copies;
  state: "idle" | "beginning" | "watched" | "ended";
  unwatch: (() => void) | undefined;
  failures: number;
  /** The earliest time of the next attempt to watch, by `monotonicNow()`. */
  retryAt: number;
  /** Whether this adapter's own changes must be reported as well. */
  doubtful: boolean;
}

/** The copies of all namespaces. A namespace has copies only while the changes of other writers in it are reported. */
export class CopyKeeper {
  readonly #far: Adapter | undefined;
  readonly #near: NearTier;
  readonly #kept = new Map<string, Kept>();
  /** The ids of namespaces that are being cleared, each with whether its descendants are cleared, too. */
  readonly #clearing = new Set<{ readonly id: string; readonly descendants: boolean }>();
  #closed = false;

  /** `far`: reports the changes of other writers; `undefined`: there are no other writers. */
  constructor(far: Adapter | undefined, near: NearTier) {
    this.#far = far;
    this.#near = near;
  }

  /** For reading: begins to watch the namespace if it is not watched yet. */
  forReading(namespace: Namespace): Copies {
    const kept = this.#of(namespace);
    if (kept.state === "idle" && (kept.failures === 0 || monotonicNow() >= kept.retryAt))
      this.#watch(namespace, kept);
    return kept.copies;
  }

  /** For changing the namespace, or for receiving its changes. */
  forChanging(namespace: Namespace): Copies {
    return this.#of(namespace).copies;
  }

  /**
   * Called when a commit of this adapter failed and may still take effect. A watch that reports only other writers' changes
   * would miss that, so from now on the namespace has copies only while this adapter's own changes are reported as well.
   */
  doubt(namespace: Namespace): void {
    const kept = this.#kept.get(namespace.id);
    if (kept === undefined || kept.doubtful || this.#far === undefined) return;
    kept.doubtful = true;
    if (kept.state !== "watched") return;
    kept.state = "idle";
    kept.copies.watched = false;
    kept.copies.renew();
    kept.unwatch?.();
    kept.unwatch = undefined;
  }

  /** Abandons the copies that a `clear` affects, now and when it has ended. Returns the function to call when it has ended. */
  clearing(id: string, descendants: boolean): () => void {
    const clearing = { id, descendants };
    this.#clearing.add(clearing);
    const concerned = [...this.#kept.values()].filter(({ copies }) => concerns(clearing, copies.id));
    for (const { copies } of concerned) copies.suspend();
    return () => {
      this.#clearing.delete(clearing);
      // Including namespaces added meanwhile, which began suspended.
      for (const { copies } of this.#kept.values()) if (concerns(clearing, copies.id)) copies.resume();
    };
  }

  close(): void {
    this.#closed = true;
    for (const kept of this.#kept.values()) this.#end(kept);
    this.#kept.clear();
  }

  open(): void {
    this.#closed = false;
  }

  #of(namespace: Namespace): Kept {
    const found = this.#kept.get(namespace.id);
    if (found !== undefined) return found;
    if (this.#kept.size >= MOST_NAMESPACES) this.#makeRoom();
    const copies = new Copies(namespace.id, namespace.path, this.#near);
    const kept: Kept = {
      copies,
      state: "idle",
      unwatch: undefined,
      failures: 0,
      retryAt: 0,
      doubtful: false,
    };
    if (this.#far === undefined && !this.#closed) this.#begin(kept, () => undefined);
    for (const clearing of this.#clearing) if (concerns(clearing, copies.id)) copies.suspend();
    this.#kept.set(namespace.id, kept);
    return kept;
  }

  #makeRoom(): void {
    for (const [id, kept] of this.#kept) {
      if (!kept.copies.isQuiet) continue;
      this.#kept.delete(id);
      this.#end(kept);
      return;
    }
  }

  #end(kept: Kept): void {
    kept.state = "ended";
    kept.copies.watched = false;
    kept.unwatch?.();
    kept.unwatch = undefined;
  }

  #watch(namespace: Namespace, kept: Kept): void {
    if (this.#closed) return;
    kept.state = "beginning";
    const { copies, doubtful } = kept;
    const begun = rescued<(() => void) | undefined>(
      () => this.#far?.watch?.(namespace, EVERYTHING, copies.changed, !doubtful) ?? (() => undefined),
      () => undefined,
    );
    void after(begun, (unwatch) => {
      if (kept.state === "ended") unwatch?.();
      else if (kept.doubtful !== doubtful) {
        kept.state = "idle";
        unwatch?.();
      } else if (unwatch === undefined) {
        kept.state = "idle";
        kept.retryAt = monotonicNow() + Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** kept.failures);
        kept.failures++;
      } else this.#begin(kept, unwatch);
    });
  }

  #begin(kept: Kept, unwatch: () => void): void {
    kept.state = "watched";
    kept.failures = 0;
    kept.unwatch = unwatch;
    kept.copies.watched = true;
  }
}

function concerns(clearing: { readonly id: string; readonly descendants: boolean }, id: string): boolean {
  return clearing.descendants ? id.startsWith(clearing.id) : id === clearing.id;
}
