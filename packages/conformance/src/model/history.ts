import assert from "node:assert/strict";
import type { Store } from "@kv/core";
import {
  checkEntries,
  type EntryInput,
  type EntryOperation,
  type EntryOutput,
} from "../linearizability/index.ts";

/** Runs operations on one key and records when each was called, when it returned and what it returned. */
export class History {
  readonly #key: string;
  readonly #operations: EntryOperation[] = [];
  /** In the order of their first calls. */
  readonly #clients = new Map<Store, string>();
  /** Counts calls and returns, since only their order matters. */
  #now = 0;

  constructor(key: string) {
    this.#key = key;
  }

  get(store: Store): Promise<number | undefined> {
    return this.#note(
      store,
      { do: "get", key: this.#key },
      () => store.get(this.#key) as Promise<number | undefined>,
      (value) => ({ got: value === undefined ? null : { value } }),
    );
  }

  set(store: Store, value: number): Promise<string> {
    return this.#note(
      store,
      { do: "set", key: this.#key, value },
      () => store.set(this.#key, value),
      (revision) => ({ revision }),
    );
  }

  create(store: Store, value: number): Promise<string | undefined> {
    return this.#note(
      store,
      { do: "create", key: this.#key, value },
      () => store.create(this.#key, value),
      (revision) => ({ revision: revision ?? null }),
    );
  }

  replace(store: Store, value: number, revision: string): Promise<string | undefined> {
    return this.#note(
      store,
      { do: "replace", key: this.#key, value, revision },
      () => store.replace(this.#key, value, { revision }),
      (replaced) => ({ revision: replaced ?? null }),
    );
  }

  increment(store: Store, by: number): Promise<number> {
    return this.#note(
      store,
      { do: "increment", key: this.#key, by },
      () => store.increment(this.#key, by),
      (number) => ({ number }),
    );
  }

  delete(store: Store): Promise<boolean> {
    return this.#note(
      store,
      { do: "delete", key: this.#key },
      () => store.delete(this.#key),
      (existed) => ({ existed }),
    );
  }

  assertLinearizable(): void {
    const { refused } = checkEntries(this.#operations);
    if (refused.length > 0)
      assert.fail(`no order of these operations explains their answers; ${refused.join("\n\n")}`);
  }

  async #note<T>(
    store: Store,
    input: EntryInput,
    run: () => Promise<T>,
    outputOf: (result: T) => EntryOutput,
  ): Promise<T> {
    const client = this.#nameOf(store);
    const called = this.#now++;
    try {
      const result = await run();
      this.#operations.push({ client, input, output: outputOf(result), called, returned: this.#now++ });
      return result;
    } catch (error) {
      this.#operations.push({ client, input, output: undefined, called, returned: Number.POSITIVE_INFINITY });
      throw error;
    }
  }

  #nameOf(store: Store): string {
    const name = this.#clients.get(store) ?? `client ${this.#clients.size + 1}`;
    this.#clients.set(store, name);
    return name;
  }
}
