import assert from "node:assert/strict";
import { inspect } from "node:util";
import { KvError, type KvErrorCode } from "@kv/core";

export interface Expected {
  readonly code: KvErrorCode;
  /** The adapter's name. */
  readonly adapter?: string;
  /** The store's method. */
  readonly operation?: string;
  /** The key as the caller wrote it. */
  readonly key?: string;
  /** What the message must contain beside these. */
  readonly says?: RegExp | string;
}

/** Asserts that a call returns a promise that rejects as expected. A synchronous throw fails the assertion. */
export async function refusal(call: () => unknown, expected: Expected): Promise<void> {
  const error = await rejectionOf(call);
  assert.ok(KvError.is(error), `expected a KvError ${expected.code}, got ${inspect(error)}`);
  assert.equal(error.code, expected.code, `expected ${expected.code}, got ${inspect(error)}`);
  if (expected.adapter !== undefined) {
    assert.equal(error.adapter, expected.adapter);
    assert.ok(
      error.message.includes(expected.adapter),
      `the message does not name the adapter: ${error.message}`,
    );
  }
  if (expected.operation !== undefined) {
    assert.equal(error.operation, expected.operation);
    assert.ok(
      error.message.includes(expected.operation),
      `the message does not name the operation: ${error.message}`,
    );
  }
  if (expected.key !== undefined) {
    assert.equal(error.key, expected.key);
    assert.ok(
      error.message.includes(JSON.stringify(expected.key)),
      `the message does not name the key: ${error.message}`,
    );
  }
  if (expected.says instanceof RegExp) assert.match(error.message, expected.says);
  else if (expected.says !== undefined) {
    assert.ok(
      error.message.includes(expected.says),
      `the message does not contain ${expected.says}: ${error.message}`,
    );
  }
}

/** What a call's promise rejects with. */
export async function rejectionOf(call: () => unknown): Promise<unknown> {
  let answer: unknown;
  try {
    answer = call();
  } catch (error) {
    assert.fail(`the call threw instead of rejecting: ${inspect(error)}`);
  }
  assert.ok(answer instanceof Promise, `a refusal must be a rejected promise, not ${inspect(answer)}`);
  try {
    answer = await answer;
  } catch (error) {
    return error;
  }
  assert.fail(`expected a rejection, got ${inspect(answer)}`);
}
