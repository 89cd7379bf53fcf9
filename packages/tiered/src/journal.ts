import {
  type Adapter,
  type Mutation,
  monotonicNow,
  namespaceFromId,
  namespaceOf,
  type Range,
  Refusal,
  type StoredEntry,
} from "@kv/core";
import type { Change, State } from "./backlog.ts";
import { CarriedEntry, headerOf } from "./header.ts";
import { OWN } from "./near-tier.ts";

const JOURNAL = namespaceOf([...OWN.path, "journal"]);
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
 * A change is trimmed after the far tier's commit, so that a crash between the two leaves changes that were flushed
 * already: flushing them again changes nothing. Trimming removes the oldest in one commit, so that what is left is
 * always the latest of every key that it concerns.
 */
export class Journal {
  readonly #near: Adapter;
  /** Keys that were to be written or trimmed, and of which it is not known. They go before anything later does. */
  readonly #doubtful = new Set<string>();

  constructor(near: Adapter) {
    this.#near = near;
  }

  /** Rejects where nothing of it is written, or where that is not known. */
  async write(changes: readonly Change[]): Promise<void> {
    const mutations = changes.flatMap(mutationsOf);
    try {
      await this.#commit(mutations);
    } catch (error) {
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
        const number = Number.parseInt(entry.key, 10);
        const [id, key, sinceWhen, header] = noteOf(entry);
        const carried = header === null ? undefined : new CarriedEntry(entry, header, key);
        const change = found.get(number) ?? { id, states: new Map<string, State>() };
        change.states.set(key, { entry: carried, sinceWhen });
        found.set(number, change);
      }
    }
    const at = monotonicNow();
    return [...found].map(([number, { id, states }]) => ({
      number,
      namespace: namespaceFromId(id),
      states,
      at,
    }));
  }

  async #commit(mutations: readonly Mutation[]): Promise<void> {
    if (mutations.length === 0) return;
    const [result] = await this.#near.commit(JOURNAL, [{ checks: [], mutations }]);
    if (result?.status === "ok") return;
    throw result?.status === "error"
      ? result.error
      : new Refusal("KV_BACKEND", "the near tier did not take the journal of what is to be flushed");
  }
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
