import {
  type Adapter,
  type CommitResult,
  type Mutation,
  monotonicNow,
  namespaceFromId,
  namespaceOf,
  type Range,
  Refusal,
  type StoredEntry,
} from "@kv/core";
import { CarriedEntry, headerOf } from "../near/carried-entry.ts";
import { OWN } from "../near/near-tier.ts";
import type { Change, State } from "./backlog.ts";

const JOURNAL = namespaceOf([...OWN.path, "journal"]);
/** Sorts after all changes. */
const OWNER = "owner";
const PAIR = "pair";
const EVERYTHING: Range = {
  start: "",
  end: undefined,
  reverse: false,
  limit: Number.POSITIVE_INFINITY,
  keysOnly: false,
};

/**
 * The backlog in a near tier that survives the process. It is all in one namespace, so that changes acknowledged together
 * are written by one commit, which the near tier applies as a whole or not at all:
 *
 *     key       0000000000000042/0003     the change's number, and the index of the state in it
 *     payload   the entry's, or ""        without a deadline: an expiry has to be flushed, too
 *     encoding  the entry's
 *     user      ["namespace id", "key", "known" | "far", header | null]     `null`: deleted
 *
 * Two more keys are in the namespace. Every opening rewrites `owner` and every commit of the journal checks it, so that
 * only the last opener has the journal. `pair` lists the states that the far tier may be in (see `Pairing`).
 *
 * Changes are trimmed after the far tier's commit. A crash between the two leaves changes that were already flushed;
 * flushing them again changes nothing. Each trim removes the oldest changes in one commit, so the journal always has the
 * latest state of every key in it.
 */
export class Journal {
  readonly #near: Adapter;
  /** Keys whose write or trim has not been confirmed. They are trimmed before any later key is. */
  readonly #doubtful = new Set<string>();
  /** The revision of the `owner` entry that this opening wrote. */
  #owner: string | undefined;
  #known: readonly (string | null)[] | undefined;

  constructor(near: Adapter) {
    this.#near = near;
  }

  /** The states that the far tier may be in, as noted by an earlier opening; `undefined`: never noted. */
  get known(): readonly (string | null)[] | undefined {
    return this.#known;
  }

  /** Takes the journal over. Its earlier opener can no longer write to it. */
  async claim(): Promise<void> {
    const owner = { checks: [], mutations: [noteAs(OWNER, crypto.randomUUID())] };
    const [result] = await this.#near.commit(JOURNAL, [owner]);
    if (result?.status !== "ok") throw notTaken(result);
    this.#owner = result.outcomes[0]?.revision;
  }

  /** Notes the states that the far tier may be in. */
  async pair(states: readonly (string | null)[]): Promise<void> {
    await this.#commit([noteAs(PAIR, states)]);
    this.#known = states;
  }

  /** Rejects if nothing was written, or if the outcome is unknown. */
  async write(changes: readonly Change[]): Promise<void> {
    const mutations = changes.flatMap(mutationsOf);
    try {
      await this.#commit(mutations);
    } catch (error) {
      if (isTakenOver(error)) throw error;
      // These keys may exist. A later opening must not find them once later changes have been trimmed.
      for (const { key } of mutations) this.#doubtful.add(key);
      throw error;
    }
  }

  /** Removes changes that were flushed. Never fails: keys that could not be trimmed are trimmed with the next flush. */
  async trim(changes: readonly Change[]): Promise<void> {
    for (const { number, states } of changes) {
      for (let i = 0; i < states.size; i++) this.#doubtful.add(keyOf(number, i));
    }
    const keys = [...this.#doubtful];
    try {
      await this.#commit(keys.map((key) => ({ type: "delete", key })));
      for (const key of keys) this.#doubtful.delete(key);
    } catch {
      // The keys stay in doubt.
    }
  }

  /** The changes left by an earlier process, in order. */
  async read(): Promise<Change[]> {
    const found = new Map<number, { readonly id: string; readonly states: Map<string, State> }>();
    for await (const page of this.#near.scan(JOURNAL, EVERYTHING)) {
      for (const entry of page) {
        if (entry.key === OWNER) continue;
        if (entry.key === PAIR) {
          this.#known = statesOf(entry);
          continue;
        }
        const number = Number.parseInt(entry.key, 10);
        const [id, key, sinceWhen, header] = noteOf(entry);
        const carried = header === null ? undefined : new CarriedEntry(entry, header, key);
        const change = found.get(number) ?? { id, states: new Map<string, State>() };
        change.states.set(key, { entry: carried, sinceWhen });
        found.set(number, change);
      }
    }
    const at = monotonicNow();
    // The near tier may be unordered.
    const inOrder = [...found].sort(([a], [b]) => a - b);
    return inOrder.map(([number, { id, states }]) => ({
      number,
      namespace: namespaceFromId(id),
      states,
      at,
    }));
  }

  async #commit(mutations: readonly Mutation[]): Promise<void> {
    if (mutations.length === 0) return;
    const checks = this.#owner === undefined ? [] : [{ key: OWNER, revision: this.#owner }];
    const [result] = await this.#near.commit(JOURNAL, [{ checks, mutations }]);
    if (result?.status === "ok") return;
    throw result?.status === "conflict" ? new TakenOver() : notTaken(result);
  }
}

/** Another opening has the journal. */
class TakenOver extends Refusal {
  constructor() {
    super(
      "KV_UNAVAILABLE",
      "another tiered adapter has opened the near tier since, or the near tier was replaced or emptied; nothing was written. Close this store, and open it again when the other one is closed",
      { held: true, retryable: false },
    );
  }
}

function isTakenOver(error: unknown): boolean {
  return error instanceof TakenOver;
}

function notTaken(result: CommitResult | undefined): unknown {
  if (result?.status === "error") return result.error;
  return new Refusal("KV_BACKEND", "the near tier refused a commit of the journal of changes to be flushed");
}

/** The mutation that writes `owner` or `pair`. */
function noteAs(key: string, note: unknown): Mutation {
  return {
    type: "set",
    key,
    payload: "",
    encoding: "json",
    expiresAt: undefined,
    policy: "persist",
    user: JSON.stringify(note),
  };
}

function statesOf({ key, user }: StoredEntry): readonly (string | null)[] {
  try {
    const states: unknown = JSON.parse(user ?? "");
    if (Array.isArray(states)) return states as readonly (string | null)[];
  } catch {
    // Reported below.
  }
  throw unreadable(key);
}

type Note = readonly [id: string, key: string, sinceWhen: State["sinceWhen"], header: string | null];

/** @throws Refusal `KV_CORRUPT` */
function noteOf({ key, user }: StoredEntry): Note {
  try {
    const note: unknown = JSON.parse(user ?? "");
    if (Array.isArray(note) && typeof note[0] === "string" && typeof note[1] === "string")
      return note as unknown as Note;
  } catch {
    // Reported below.
  }
  throw unreadable(key);
}

function mutationsOf({ number, namespace, states }: Change): Mutation[] {
  return [...states].map(([key, { entry, sinceWhen }], i): Mutation => {
    const note: Note = [namespace.id, key, sinceWhen, entry === undefined ? null : headerOf(entry)];
    return {
      type: "set",
      key: keyOf(number, i),
      payload: entry === undefined ? "" : entry.payload,
      encoding: entry === undefined ? "json" : entry.encoding,
      expiresAt: undefined,
      policy: "persist",
      user: JSON.stringify(note),
    };
  });
}

function keyOf(number: number, state: number): string {
  return `${String(number).padStart(16, "0")}/${String(state).padStart(4, "0")}`;
}

function unreadable(key: string): Refusal {
  return new Refusal(
    "KV_CORRUPT",
    `the near tier's journal of changes to be flushed is corrupt at ${key}; restore a backup of the near tier`,
  );
}
