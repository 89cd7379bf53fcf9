import { type Adapter, monotonicNow, type Namespace, namespaceOf, Refusal } from "@kv/core";
import { OWN } from "../near/near-tier.ts";
import type { Journal } from "./journal.ts";

/** Where the far tier says which state it is in. No store shows it. */
export const PAIR: Namespace = namespaceOf([...OWN.path, "pair"]);
const KEY = "state";
/** Milliseconds between two states while something is flushed. */
const EVERY_MS = 1000;

/** A state of the far tier, as a random text; `null`: it says none, as it is new or was cleared. */
export type State = string | null;

/**
 * Tells a journal that belongs to another state of the far tier. One of the two may be restored from a backup, or be
 * another store's: what the journal holds would then replace what came later, or go where it does not belong.
 *
 * Each opening gives both tiers a new name for their common state, and each flush does after a second. The near tier gets
 * it first, together with the names that the far tier may have until it has the new one. So after any crash the far tier's
 * name is one of those that the near tier knows, unless one of them is not what it was then.
 */
export class Pairing {
  readonly #journal: Journal;
  readonly #far: Adapter;
  /** What the far tier may say. */
  #possible = new Set<State>([null]);
  /** What it is to say next, as the near tier knows already. */
  #next: string | undefined;
  /** The revision of what it says; `null`: nothing. */
  #revision: string | null = null;
  #at = Number.NEGATIVE_INFINITY;

  constructor(journal: Journal, far: Adapter) {
    this.#journal = journal;
    this.#far = far;
  }

  /**
   * Before anything of the journal is flushed, which holds so many changes.
   * @throws Refusal `KV_CORRUPT` where they are not for what the far tier is now; nothing was written then
   */
  async open(changes: number): Promise<void> {
    const { known } = this.#journal;
    const there = await this.#read();
    if (changes > 0 && known !== undefined && !known.includes(there)) throw another(changes, there);
    this.#possible = new Set([there]);
    await this.renew();
    // An empty far tier, which says nothing, is not to be taken for this one.
    await this.#journal.pair([...this.#possible]);
  }

  /** Before a flush. */
  async renewIfDue(): Promise<void> {
    if (monotonicNow() - this.#at >= EVERY_MS) await this.renew();
  }

  /** @throws Refusal `KV_CONFLICT` where another adapter writes to the far tier */
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

  /** Before all namespaces of the far tier are cleared: what it says goes, too, and is none of what is counted. */
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
      // The check also keeps away what was given up earlier and arrives late.
      const checks = [{ key: KEY, revision: this.#revision }];
      const [result] = await this.#far.commit(PAIR, [{ checks, mutations: [set] }]);
      if (result?.status === "ok") {
        this.#revision = result.outcomes[0]?.revision ?? null;
        return;
      }
      if (result?.status === "error") throw result.error;
      const there = await this.#read();
      // By an earlier attempt, whose answer was lost.
      if (there === state) return;
      // What was emptied has nothing that could be replaced.
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
    "another tiered adapter writes to the far tier, which can be behind one only; close the other one",
    { retryable: true },
  );
}
