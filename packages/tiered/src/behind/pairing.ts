import { type Adapter, monotonicNow, type Namespace, namespaceOf, Refusal } from "@kv/core";
import { OWN } from "../near/near-tier.ts";
import type { Journal } from "./journal.ts";

/** The namespace in which the far tier records its state. No store lists it. */
export const PAIR: Namespace = namespaceOf([...OWN.path, "pair"]);
const KEY = "state";
/** Milliseconds between two states while changes are flushed. */
const EVERY_MS = 1000;

/** A state of the far tier, as a random text; `null`: none is recorded, because the far tier is new or was cleared. */
export type State = string | null;

/**
 * Detects a journal that belongs to another state of the far tier. One tier may have been restored from a backup, or belong
 * to another store: the journal's changes would then replace later entries, or be written to the wrong store.
 *
 * Each opening gives both tiers a new name for their common state, and so does a flush if a second has passed since. The
 * near tier gets the name first, together with the names that the far tier may have until then. So after any crash the far
 * tier's name is one that the near tier has recorded, unless one of the tiers was replaced.
 */
export class Pairing {
  readonly #journal: Journal;
  readonly #far: Adapter;
  /** The states that the far tier may have recorded. */
  #possible = new Set<State>([null]);
  /** The state that it gets next, which the near tier has recorded already. */
  #next: string | undefined;
  /** The revision of the far tier's record; `null`: there is none. */
  #revision: string | null = null;
  #at = Number.NEGATIVE_INFINITY;

  constructor(journal: Journal, far: Adapter) {
    this.#journal = journal;
    this.#far = far;
  }

  /**
   * Called before the journal is flushed. `changes`: the number of changes in it.
   * @throws Refusal `KV_CORRUPT` if the changes are for another state of the far tier; nothing was written then
   */
  async open(changes: number): Promise<void> {
    const { known } = this.#journal;
    const there = await this.#read();
    if (changes > 0 && known !== undefined && !known.includes(there)) throw another(changes, there);
    this.#possible = new Set([there]);
    await this.renew();
    // From now on an empty far tier, which has no record, must not be mistaken for this one.
    await this.#journal.pair([...this.#possible]);
  }

  /** Called before a flush. */
  async renewIfDue(): Promise<void> {
    if (monotonicNow() - this.#at >= EVERY_MS) await this.renew();
  }

  /** @throws Refusal `KV_CONFLICT` if another adapter writes to the far tier */
  async renew(): Promise<void> {
    let state = this.#next;
    if (state === undefined) {
      state = crypto.randomUUID();
      await this.#journal.pair([...this.#possible, state]);
      this.#next = state;
    }
    await this.#write(state);
    this.#next = undefined;
    this.#possible = new Set([state]);
    this.#at = monotonicNow();
  }

  /** Called before all namespaces of the far tier are cleared. Removes its record, which must not be counted as cleared. */
  async clear(): Promise<void> {
    if (this.#next !== undefined) this.#possible.add(this.#next);
    this.#next = undefined;
    this.#possible.add(null);
    await this.#journal.pair([...this.#possible]);
    await this.#far.commit(PAIR, [{ checks: [], mutations: [{ type: "delete", key: KEY }] }]);
    this.#possible = new Set([null]);
    this.#revision = null;
    this.#at = Number.NEGATIVE_INFINITY;
  }

  async #write(state: string): Promise<void> {
    const set = {
      type: "set",
      key: KEY,
      payload: new Uint8Array(),
      encoding: "bytes",
      expiresAt: undefined,
      policy: "persist",
      user: JSON.stringify({ state }),
    } as const;
    for (let again = false; ; again = true) {
      // The check also refuses an earlier commit that was given up on and arrives late.
      const checks = [{ key: KEY, revision: this.#revision }];
      const [result] = await this.#far.commit(PAIR, [{ checks, mutations: [set] }]);
      if (result?.status === "ok") {
        this.#revision = result.outcomes[0]?.revision ?? null;
        return;
      }
      if (result?.status === "error") throw result.error;
      const there = await this.#read();
      // Written by an earlier attempt whose answer was lost.
      if (there === state) return;
      // A far tier that was emptied has no entries that could be replaced.
      if (again || !(there === null || this.#possible.has(there))) throw notAlone();
    }
  }

  async #read(): Promise<State> {
    const [entry] = await this.#far.read(PAIR, [KEY]);
    this.#revision = entry?.revision ?? null;
    return stateIn(entry?.user);
  }
}

function stateIn(user: string | undefined): State {
  try {
    const { state } = JSON.parse(user ?? "{}") as { readonly state?: unknown };
    return typeof state === "string" ? state : null;
  } catch {
    return null;
  }
}

function another(changes: number, there: State): Refusal {
  const why =
    there === null
      ? "the far tier is another store, or was emptied"
      : "one of them was restored from a backup, or the far tier was used with another near tier";
  return new Refusal(
    "KV_CORRUPT",
    `the near tier's journal holds ${changes} acknowledged changes for another state of the far tier: ${why}. Nothing was written. Restore both tiers as they were at one time; or, to give these changes up, begin with an empty near tier`,
  );
}

function notAlone(): Refusal {
  return new Refusal(
    "KV_CONFLICT",
    "another tiered adapter writes to the far tier, which only one write-behind adapter may use; close the other one",
    { retryable: true },
  );
}
