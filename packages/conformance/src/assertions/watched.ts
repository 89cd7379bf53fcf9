import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect, isDeepStrictEqual } from "node:util";
import type { Change, Store, WatchSelector } from "@kv/core";

/** Milliseconds that a change may take to arrive before the case fails. */
export const PATIENCE = 5000;

/** The changes that a subscription has received so far. */
export interface Watched {
  readonly changes: readonly Change<unknown>[];
  /** Resolves as soon as the received changes satisfy the condition. */
  until(condition: (changes: readonly Change<unknown>[]) => boolean): Promise<void>;
  stop(): void;
}

export async function watched(store: Store, selector?: WatchSelector): Promise<Watched> {
  const changes: Change<unknown>[] = [];
  let look = (): void => undefined;
  const subscription = await store.subscribe((change) => {
    changes.push(change);
    look();
  }, selector);
  return {
    changes,
    stop: () => subscription.unsubscribe(),
    async until(condition) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      look = () => {
        if (condition(changes)) resolve(true);
      };
      look();
      const timer = setTimeout(() => resolve(false), PATIENCE);
      const arrived = await promise;
      clearTimeout(timer);
      assert.ok(arrived, `the expected change did not arrive; so far: ${inspect(changes, { depth: 3 })}`);
    },
  };
}

/** Resolves once the value is as expected. @throws AssertionError if it is not in time */
export async function eventually<T>(value: () => T, expected: T): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!isDeepStrictEqual(value(), expected) && performance.now() < end) await sleep(5);
  assert.deepEqual(value(), expected);
}

/** The last reported state of every key. */
export function lastStates(changes: readonly Change<unknown>[]): Map<string, unknown> {
  const states = new Map<string, unknown>();
  for (const change of changes) {
    if (change.type === "set") states.set(change.key, change.value);
    else if (change.type === "delete" || change.type === "expire") states.delete(change.key);
    else if (change.type === "resync") states.clear();
  }
  return states;
}

/** A change without its revision, which no case can predict. */
export function outline({ type, key, value }: Change<unknown>): unknown[] {
  return value === undefined ? [type, key] : [type, key, value];
}
