import { resultAt } from "../../adapter-parts/answers.ts";
import type { Adapter, CommitResult, MaybePromise, StoredEntry } from "../../contract/adapter.ts";
import { isPromise } from "../../contract/any-realm.ts";
import { Refusal } from "../../contract/errors.ts";
import { shown } from "../../contract/shown.ts";
import { after, all as allOf, rescued } from "../../runtime/maybe-promise.ts";
import { warn } from "../../runtime/platform.ts";
import { Codecs, json } from "../../values/codec.ts";
import type { BoundsLedger, EvictReason, Excess } from "./bounds-ledger.ts";
import type { Tracked } from "./recency.ts";

/** Receives an evicted entry: its key, its value, the limit that was exceeded, and the path of its namespace. */
export type OnEvict = (
  key: string,
  value: unknown,
  reason: EvictReason,
  namespace: readonly string[],
) => void;

/** Further passes if entries to be evicted were written meanwhile. */
const MAX_PASSES = 8;

interface Evicted {
  readonly entry: StoredEntry;
  readonly reason: EvictReason;
  readonly namespace: readonly string[];
}

/** Brings the entries of an adapter back within their bounds, one pass at a time. */
export class Eviction {
  readonly #inner: Adapter;
  readonly #ledger: BoundsLedger;
  readonly #onEvict: OnEvict | undefined;
  readonly #codecs: Codecs;
  #running: Promise<void> | undefined;

  constructor(inner: Adapter, ledger: BoundsLedger, onEvict: OnEvict | undefined) {
    this.#inner = inner;
    this.#ledger = ledger;
    this.#onEvict = onEvict;
    this.#codecs = new Codecs(json, [], inner.form);
  }

  /** Never fails, because the write before it has taken effect already. */
  run(): MaybePromise<void> {
    if (this.#running !== undefined) return this.#running.then(() => this.run());
    const evicted: Evicted[] = [];
    const done = after(
      rescued(
        () => this.#passes(evicted, MAX_PASSES),
        (error) => warn(`bounded() could not evict, and tries again after the next write: ${shown(error)}`),
      ),
      () => {
        this.#running = undefined;
        this.#tell(evicted);
      },
    );
    if (isPromise(done)) this.#running = done;
    return done;
  }

  #passes(evicted: Evicted[], left: number): MaybePromise<void> {
    if (left === 0) return;
    return after(
      byNamespace(
        this.#ledger.due(),
        (tracked) => tracked,
        (due) => this.#forget(due),
      ),
      () => {
        const excess = this.#ledger.excess();
        if (excess.length === 0) return;
        const gone = byNamespace(
          excess,
          ({ tracked }) => tracked,
          (group) => this.#evict(group, evicted),
        );
        return after(gone, () => this.#passes(evicted, left - 1));
      },
    );
  }

  /** Forgets the entries that have expired. Another process may have extended a deadline. */
  #forget(due: readonly Tracked[]): MaybePromise<void> {
    const { namespace } = due[0]!;
    const writes = due.map((tracked) => tracked.writes);
    const keys = due.map(({ key }) => key);
    return after(this.#inner.read(namespace, keys), (entries) => {
      for (const [i, tracked] of due.entries()) {
        const entry = entries[i];
        if (entry === undefined) this.#removed(tracked, writes[i]!);
        else this.#ledger.present(namespace, tracked.key, this.#ledger.known(entry));
      }
    });
  }

  /** Removes entries of one namespace, unless they were written meanwhile. */
  #evict(group: readonly Excess[], evicted: Evicted[]): MaybePromise<void> {
    const { namespace } = group[0]!.tracked;
    const writes = group.map(({ tracked }) => tracked.writes);
    const keys = group.map(({ tracked }) => tracked.key);
    return after(this.#inner.read(namespace, keys), (entries) => {
      const present: number[] = [];
      for (const [i, entry] of entries.entries()) {
        if (entry !== undefined) present.push(i);
        else this.#removed(group[i]!.tracked, writes[i]!);
      }
      if (present.length === 0) return;
      const commits = present.map((i) => {
        const { key, revision } = entries[i]!;
        return { checks: [{ key, revision }], mutations: [{ type: "delete", key }] } as const;
      });
      return after(this.#inner.commit(namespace, commits), (results) => {
        for (const [at, i] of present.entries()) {
          const gone = this.#judge(resultAt(results, at), group[i]!, writes[i]!);
          if (gone) evicted.push({ entry: entries[i]!, reason: group[i]!.reason, namespace: namespace.path });
        }
      });
    });
  }

  #judge(result: CommitResult, one: Excess, writes: number): boolean {
    if (result.status === "error") throw result.error;
    if (result.status === "ok") this.#removed(one.tracked, writes);
    // Another writer wrote it meanwhile.
    else this.#ledger.used(one.tracked);
    return result.status === "ok";
  }

  #removed(tracked: Tracked, writes: number): void {
    // Not if it was written again since, because then it exists.
    if (tracked.writes === writes) this.#ledger.gone(tracked);
  }

  #tell(evicted: readonly Evicted[]): void {
    const onEvict = this.#onEvict;
    if (onEvict === undefined) return;
    for (const { entry, reason, namespace } of evicted) {
      try {
        const returned: unknown = onEvict(entry.key, this.#valueOf(entry), reason, namespace);
        // The callback may be an async function, and its rejection must not end the process.
        if (isPromise(returned)) returned.catch(reportThrown);
      } catch (error) {
        reportThrown(error);
      }
    }
  }

  /** A value of a codec that is not known here is passed on as it is stored. */
  #valueOf(entry: StoredEntry): unknown {
    try {
      return this.#codecs.decode(entry);
    } catch (error) {
      if (error instanceof Refusal) return entry.payload;
      throw error;
    }
  }
}

/** Runs for the entries of each namespace, concurrently. */
function byNamespace<T>(
  all: readonly T[],
  trackedOf: (one: T) => Tracked,
  run: (part: readonly T[]) => MaybePromise<void>,
): MaybePromise<unknown> {
  if (all.length === 0) return undefined;
  const parts = Map.groupBy(all, (one) => trackedOf(one).namespace.id);
  return allOf([...parts.values()], run);
}

function reportThrown(error: unknown): void {
  warn(`onEvict of bounded() threw ${shown(error)}`);
}
