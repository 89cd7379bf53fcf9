import type {
  Adapter,
  Commit,
  CommitResult,
  Filter,
  Namespace,
  Outcome,
  StoredEntry,
  TouchMutation,
} from "../../contract/adapter.ts";
import { utf8Length } from "../../contract/key.ts";
import { payloadSize } from "../parts/payload-size.ts";
import { DueQueue } from "./due-queue.ts";
import { type Known, Recency, type Tracked } from "./recency.ts";

/** The limit for which an entry was evicted. */
export type EvictReason = "maxEntries" | "maxBytes";

export interface Limits {
  readonly maxEntries: number;
  /** `Infinity`: no limit; sizes are not measured then. */
  readonly maxBytes: number;
}

export interface Excess {
  readonly tracked: Tracked;
  readonly reason: EvictReason;
}

/** Keeps account of the entries behind a bound: which exist, their sizes, when they were used, when they expire. */
export class BoundsLedger {
  readonly #limits: Limits;
  readonly #inner: Pick<Adapter, "clock" | "form">;
  #recency = new Recency();
  #due = this.#newQueue();

  constructor(limits: Limits, inner: Pick<Adapter, "clock" | "form">) {
    this.#limits = limits;
    this.#inner = inner;
  }

  #newQueue(): DueQueue {
    return new DueQueue((tracked) => this.#recency.find(tracked.namespace, tracked.key) === tracked);
  }

  reset(): void {
    this.#recency = new Recency();
    this.#due = this.#newQueue();
  }

  /** The record of an entry that is live, as far as this process knows. */
  find(namespace: Namespace, key: string): Tracked | undefined {
    const tracked = this.#recency.find(namespace, key);
    const due = tracked?.expiresAt !== undefined && tracked.expiresAt <= this.#inner.clock();
    return due ? undefined : tracked;
  }

  /** Bytes that count towards `maxBytes`; 0 if that is not limited. */
  #sizeOf(entry: Pick<StoredEntry, "payload" | "encoding">): number {
    return this.#limits.maxBytes === Number.POSITIVE_INFINITY ? 0 : payloadSize(entry, this.#inner.form);
  }

  #overheadOf(key: string, user: string | undefined): number {
    if (this.#limits.maxBytes === Number.POSITIVE_INFINITY) return 0;
    return utf8Length(key) + (user === undefined ? 0 : utf8Length(user));
  }

  /** The key of an entry of the commit that exceeds `maxBytes` alone. */
  tooLargeIn({ mutations }: Commit): string | undefined {
    const { maxBytes } = this.#limits;
    if (maxBytes === Number.POSITIVE_INFINITY) return undefined;
    return mutations.find(
      (mutation) =>
        mutation.type === "set" &&
        this.#overheadOf(mutation.key, mutation.user) + this.#sizeOf(mutation) > maxBytes,
    )?.key;
  }

  /** The record to keep of an entry. */
  known(entry: StoredEntry): Known {
    const { key, user, policy, expiresAt } = entry;
    return { overhead: this.#overheadOf(key, user), payload: this.#sizeOf(entry), policy, expiresAt };
  }

  /** Records an existing entry, as the newest. */
  present(namespace: Namespace, key: string, known: Known): void {
    const tracked = this.#recency.write(namespace, key, known);
    this.#due.add(tracked, this.#recency.entries);
  }

  /** Records a use of an entry that was read. `whole`: the read returned more of it than its payload. */
  found(namespace: Namespace, entry: StoredEntry, whole: boolean): void {
    const tracked = this.#recency.find(namespace, entry.key);
    if (tracked !== undefined) this.#recency.use(tracked);
    else if (whole) this.present(namespace, entry.key, this.known(entry));
  }

  /** Records a commit that was made, or (no `result`) may have been. */
  committed(namespace: Namespace, { mutations }: Commit, result: CommitResult | undefined): void {
    if (result !== undefined && result.status !== "ok") return;
    for (const [i, mutation] of mutations.entries()) {
      const { type, key } = mutation;
      const tracked = this.find(namespace, key);
      const outcome: Outcome | undefined = result?.outcomes[i];
      if (type === "set") {
        const { user, policy, expiresAt } = mutation;
        this.present(namespace, key, {
          overhead: this.#overheadOf(key, user),
          payload: this.#sizeOf(mutation),
          policy,
          expiresAt: expiresAt === "keep" ? tracked?.expiresAt : expiresAt,
        });
      } else if (type === "increment") {
        const overhead = tracked?.overhead ?? this.#overheadOf(key, mutation.user);
        const { policy, expiresAt } = tracked ?? mutation;
        const payload = this.#sizeOf({ payload: outcome?.value ?? 0, encoding: "json" });
        this.present(namespace, key, { overhead, payload, policy, expiresAt });
      } else if (outcome !== undefined && tracked !== undefined) {
        if (type === "delete") this.#recency.remove(tracked);
        else this.#touch(tracked, mutation);
      }
    }
  }

  cleared(namespace: Namespace, filter: Filter): void {
    this.#recency.removeAll(namespace, filter);
  }

  /** Forgets an entry that turned out to be absent. */
  gone(tracked: Tracked): void {
    this.#recency.remove(tracked);
  }

  used(tracked: Tracked): void {
    this.#recency.use(tracked);
  }

  get #isExceeded(): boolean {
    return this.#recency.entries > this.#limits.maxEntries || this.#recency.bytes > this.#limits.maxBytes;
  }

  /** If a limit is exceeded: the entries whose deadline has passed, as far as this process knows. Each is returned once. */
  due(): Tracked[] {
    const due: Tracked[] = [];
    if (!this.#isExceeded) return due;
    const now = this.#inner.clock();
    for (let next = this.#due.take(now); next !== undefined; next = this.#due.take(now)) due.push(next);
    return due;
  }

  /** The least recently used entries, to be evicted so that the rest is within the limits. */
  excess(): Excess[] {
    const excess: Excess[] = [];
    if (!this.#isExceeded) return excess;
    const { maxEntries, maxBytes } = this.#limits;
    let { entries, bytes } = this.#recency;
    for (const tracked of this.#recency.oldestFirst()) {
      if (entries <= maxEntries && bytes <= maxBytes) break;
      excess.push({ tracked, reason: entries > maxEntries ? "maxEntries" : "maxBytes" });
      entries--;
      bytes -= tracked.bytes;
    }
    return excess;
  }

  #touch(tracked: Tracked, { expiresAt, policy }: TouchMutation): void {
    if (policy !== undefined) tracked.policy = policy;
    if (expiresAt === undefined) return;
    tracked.expiresAt = expiresAt ?? undefined;
    this.#due.add(tracked, this.#recency.entries);
  }
}
