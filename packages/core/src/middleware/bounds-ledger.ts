import type {
  Commit,
  CommitResult,
  Filter,
  Namespace,
  Outcome,
  Payload,
  StoredEntry,
  TouchMutation,
} from "../adapter.ts";
import { utf8Length } from "../key.ts";
import { DueQueue } from "./due-queue.ts";
import { payloadSize } from "./payload-size.ts";
import { type Known, Recency, type Tracked } from "./recency.ts";

/** Which limit an entry had to go for. */
export type EvictReason = "maxEntries" | "maxBytes";

export interface Limits {
  readonly maxEntries: number;
  /** `Infinity`: none; sizes are not measured then. */
  readonly maxBytes: number;
}

export interface Excess {
  readonly tracked: Tracked;
  readonly reason: EvictReason;
}

/** Keeps account of the entries behind a bound: which there are, what they take, when they were used, when they are due. */
export class BoundsLedger {
  readonly #limits: Limits;
  readonly #clock: () => number;
  #recency = new Recency();
  #due = this.#newQueue();

  constructor(limits: Limits, clock: () => number) {
    this.#limits = limits;
    this.#clock = clock;
  }

  #newQueue(): DueQueue {
    return new DueQueue((tracked) => this.#recency.find(tracked.namespace, tracked.key) === tracked);
  }

  reset(): void {
    this.#recency = new Recency();
    this.#due = this.#newQueue();
  }

  find(namespace: Namespace, key: string): Tracked | undefined {
    return this.#recency.find(namespace, key);
  }

  /** Bytes that count towards `maxBytes`; 0 where those are not limited. */
  #sizeOf(payload: Payload): number {
    return this.#limits.maxBytes === Number.POSITIVE_INFINITY ? 0 : payloadSize(payload);
  }

  #overheadOf(key: string, user: string | undefined): number {
    if (this.#limits.maxBytes === Number.POSITIVE_INFINITY) return 0;
    return utf8Length(key) + (user === undefined ? 0 : utf8Length(user));
  }

  /** The key of an entry that would not even fit alone. */
  tooLargeIn({ mutations }: Commit): string | undefined {
    const { maxBytes } = this.#limits;
    if (maxBytes === Number.POSITIVE_INFINITY) return undefined;
    return mutations.find(
      (mutation) =>
        mutation.type === "set" &&
        this.#overheadOf(mutation.key, mutation.user) + payloadSize(mutation.payload) > maxBytes,
    )?.key;
  }

  /** What has to be known of an entry. */
  known({ key, payload, user, policy, expiresAt }: StoredEntry): Known {
    return { overhead: this.#overheadOf(key, user), payload: this.#sizeOf(payload), policy, expiresAt };
  }

  /** An entry that is there, as the newest. */
  present(namespace: Namespace, key: string, known: Known): void {
    const tracked = this.#recency.write(namespace, key, known);
    this.#due.add(tracked, this.#recency.entries);
  }

  /** An entry that was found: a use of it. */
  found(namespace: Namespace, entry: StoredEntry): void {
    const tracked = this.#recency.find(namespace, entry.key);
    if (tracked === undefined) this.present(namespace, entry.key, this.known(entry));
    else this.#recency.use(tracked);
  }

  /** A commit that was made, or (`outcomes` unknown) may have been. */
  committed(namespace: Namespace, { mutations }: Commit, result: CommitResult | undefined): void {
    if (result !== undefined && result.status !== "ok") return;
    for (const [i, mutation] of mutations.entries()) {
      const { type, key } = mutation;
      const tracked = this.#recency.find(namespace, key);
      const outcome: Outcome | undefined = result?.outcomes[i];
      if (type === "set") {
        const { payload, user, policy, expiresAt } = mutation;
        this.present(namespace, key, {
          overhead: this.#overheadOf(key, user),
          payload: this.#sizeOf(payload),
          policy,
          expiresAt: expiresAt === "keep" ? tracked?.expiresAt : expiresAt,
        });
      } else if (type === "increment") {
        const overhead = tracked?.overhead ?? this.#overheadOf(key, mutation.user);
        const { policy, expiresAt } = tracked ?? mutation;
        const payload = this.#sizeOf(String(outcome?.value ?? 0));
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

  /** It turned out to be gone. */
  gone(tracked: Tracked): void {
    this.#recency.remove(tracked);
  }

  used(tracked: Tracked): void {
    this.#recency.use(tracked);
  }

  /** What has to go, so that the rest is within the limits: after whatever is due, the least recently used. */
  excess(): Excess[] {
    const { maxEntries, maxBytes } = this.#limits;
    const recency = this.#recency;
    if (recency.entries <= maxEntries && recency.bytes <= maxBytes) return [];
    const now = this.#clock();
    for (let due = this.#due.take(now); due !== undefined; due = this.#due.take(now)) recency.remove(due);
    const excess: Excess[] = [];
    let { entries, bytes } = recency;
    for (const tracked of recency.oldestFirst()) {
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
