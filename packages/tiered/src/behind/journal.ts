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
/** Behind all changes. */
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
 * The backlog in a near tier that survives the process. All of it lies in one namespace, so that whatever was
 * acknowledged together is written by one commit, which the near tier makes as a whole or not at all:
 *
 *     key       0000000000000042/0003     the change's number, and which of its states this is
 *     payload   the entry's, or ""        without a deadline: that a key expired has to be flushed, too
 *     encoding  the entry's
 *     user      ["namespace id", "key", "known" | "far", header | null]     `null`: deleted
 *
 * Beside the changes lie `owner`, which every opening writes anew and every commit of the journal checks, so that no two
 * have it at a time; and `pair`, with the states that the far tier may be in (see `Pairing`).
 *
 * A change is trimmed after the far tier's commit, so that a crash between the two leaves changes that were flushed
 * already: flushing them again changes nothing. Trimming removes the oldest in one commit, so that what is left is
 * always the latest of every key that it concerns.
 */
export class Journal {
  readonly #near: Adapter;
  /** Keys that were to be written or trimmed, and of which it is not known. They go before anything later does. */
  readonly #doubtful = new Set<string>();
  /** The revision that this opening gave to the entry of the owner. */
  #owner: string | undefined;
  #known: readonly (string | null)[] | undefined;

  constructor(near: Adapter) {
    this.#near = near;
  }

  /** The states that the far tier may be in, as an earlier opening noted them; `undefined`: none did. */
  get known(): readonly (string | null)[] | undefined {
    return this.#known;
  }

  /** Takes the journal over. Whoever had it before gets nothing into it any more. */
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

  /** Rejects where nothing of it is written, or where that is not known. */
  async write(changes: readonly Change[]): Promise<void> {
    const mutations = changes.flatMap(mutationsOf);
    try {
      await this.#commit(mutations);
    } catch (error) {
      if (isTakenOver(error)) throw error;
      // What may be there would be found after a crash, and must not be found when later changes no longer are.
      for (const { key } of mutations) this.#doubtful.add(key);
      throw error;
    }
  }

  /** They were flushed. Never fails: what could not be trimmed is trimmed with what comes next. */
  async trim(changes: readonly Change[]): Promise<void> {
    for (const { number, states } of changes) {
      for (let i = 0; i < states.size; i++) this.#doubtful.add(keyOf(number, i));
    }
    const keys = [...this.#doubtful];
    try {
      await this.#commit(keys.map((key) => ({ type: "delete", key })));
      for (const key of keys) this.#doubtful.delete(key);
    } catch {
      // They stay in doubt.
    }
  }

  /** What an earlier process left, in order. */
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
    // The near tier need not keep an order of its keys.
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
      "the near tier was opened by another tiered adapter since, or was replaced or emptied; nothing was written: close this store, and open it again when the other one is closed",
      { held: true, retryable: false },
    );
  }
}

function isTakenOver(error: unknown): boolean {
  return error instanceof TakenOver;
}

function notTaken(result: CommitResult | undefined): unknown {
  if (result?.status === "error") return result.error;
  return new Refusal("KV_BACKEND", "the near tier did not take the journal of what is to be flushed");
}

/** An entry that is no change. */
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
    // Said below.
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
    // Said below.
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
    `the near tier's journal of what is to be flushed has been altered at ${key}; restore a backup of the near tier`,
  );
}
