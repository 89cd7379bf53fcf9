import assert from "node:assert/strict";
import { inspect } from "node:util";
import type { Store } from "@kv/core";
import { checkHistory, type Recorded, type RegisterOperation } from "./linearizability.ts";

/** Runs operations on one key and notes when each was called, when it returned and what it answered. */
export class History {
  readonly #key: string;
  readonly #recorded: Recorded[] = [];
  /** Counts calls and returns: their order is all that matters. */
  #now = 0;

  constructor(key: string) {
    this.#key = key;
  }

  get(store: Store): Promise<unknown> {
    return this.#note(
      { type: "get" },
      () => store.get(this.#key),
      (value) => ({ value }),
    );
  }

  set(store: Store, value: unknown): Promise<string> {
    return this.#note(
      { type: "set", value },
      () => store.set(this.#key, value),
      (revision) => ({ revision }),
    );
  }

  create(store: Store, value: unknown): Promise<string | undefined> {
    return this.#note(
      { type: "create", value },
      () => store.create(this.#key, value),
      (revision) => ({ revision }),
    );
  }

  replace(store: Store, value: unknown, expected: string): Promise<string | undefined> {
    const write = (): Promise<string | undefined> => store.replace(this.#key, value, { revision: expected });
    return this.#note({ type: "replace", value, expected }, write, (revision) => ({ revision }));
  }

  increment(store: Store, by: number): Promise<number> {
    return this.#note(
      { type: "increment", by },
      () => store.increment(this.#key, by),
      (value) => ({ value }),
    );
  }

  delete(store: Store): Promise<boolean> {
    return this.#note(
      { type: "delete" },
      () => store.delete(this.#key),
      (existed) => ({ existed }),
    );
  }

  assertLinearizable(): void {
    const finding = checkHistory(this.#recorded);
    if (finding.linearizable) return;
    assert.fail(
      `no order of these operations explains their answers, ${finding.stuck.length} of ${this.#recorded.length} left:\n${inspect(finding.stuck, { breakLength: 140, maxArrayLength: 20 })}`,
    );
  }

  async #note<T>(
    operation: RegisterOperation,
    run: () => Promise<T>,
    answerOf: (result: T) => object,
  ): Promise<T> {
    const call = this.#now++;
    try {
      const result = await run();
      this.#recorded.push({ ...operation, answer: answerOf(result), call, return: this.#now++ } as Recorded);
      return result;
    } catch (error) {
      this.#recorded.push({ ...operation, call, return: Number.POSITIVE_INFINITY });
      throw error;
    }
  }
}
