import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { checkHistory, type Recorded } from "../src/linearizability.ts";

const NEVER = Number.POSITIVE_INFINITY;

/** A get that was called and returned at these times. */
function got(call: number, end: number, value: unknown): Recorded {
  return { type: "get", call, return: end, answer: { value } };
}

function set(call: number, end: number, value: unknown, revision = `r${call}`): Recorded {
  return end === NEVER
    ? { type: "set", value, call, return: end }
    : { type: "set", value, call, return: end, answer: { revision } };
}

function create(call: number, end: number, value: unknown, revision: string | undefined): Recorded {
  return { type: "create", value, call, return: end, answer: { revision } };
}

function replace(
  call: number,
  end: number,
  expected: string,
  value: unknown,
  revision: string | undefined,
): Recorded {
  return { type: "replace", expected, value, call, return: end, answer: { revision } };
}

function increment(call: number, end: number, by: number, value: number): Recorded {
  return { type: "increment", by, call, return: end, answer: { value } };
}

function deleted(call: number, end: number, existed: boolean): Recorded {
  return { type: "delete", call, return: end, answer: { existed } };
}

const GOOD: Readonly<Record<string, readonly Recorded[]>> = {
  "nothing at all": [],
  "one after the other": [set(0, 1, "a"), got(2, 3, "a"), deleted(4, 5, true), got(6, 7, undefined)],
  "a read during a write may see either": [set(0, 1, "a"), set(2, 9, "b"), got(3, 4, "a"), got(5, 6, "b")],
  "two reads during a write, the later one seeing it": [set(0, 9, "a"), got(1, 2, undefined), got(3, 4, "a")],
  "concurrent writes in the order that the reads show": [set(0, 9, "a"), set(1, 8, "b"), got(10, 11, "a")],
  "concurrent creates with one winner": [
    create(0, 5, "a", undefined),
    create(1, 6, "b", "r"),
    got(7, 8, "b"),
  ],
  "a replace after the write it expects": [
    set(0, 1, "a", "r1"),
    replace(2, 3, "r1", "b", "r2"),
    replace(4, 5, "r1", "c", undefined),
  ],
  "increments in any order that adds up": [
    increment(0, 9, 1, 2),
    increment(1, 8, 1, 1),
    increment(2, 7, 1, 3),
    got(10, 11, 3),
  ],
  "a write without an answer that took effect": [set(0, NEVER, "a"), got(5, 6, "a")],
  "a write without an answer that took none": [set(0, NEVER, "a"), got(5, 6, undefined)],
  "a write without an answer that took effect late": [
    set(0, NEVER, "a"),
    got(1, 2, undefined),
    set(3, 4, "b"),
    got(5, 6, "b"),
    got(7, 8, "a"),
  ],
  "a replace of a revision that nobody was told": [
    set(0, NEVER, "a"),
    replace(3, 4, "r?", "b", "r2"),
    got(5, 6, "b"),
  ],
};

const BAD: Readonly<Record<string, readonly Recorded[]>> = {
  "a stale read": [set(0, 1, "a"), set(2, 3, "b"), got(4, 5, "a")],
  "a read of what was never written": [set(0, 1, "a"), got(2, 3, "b")],
  "a read from the future": [got(0, 1, "a"), set(2, 3, "a")],
  "a value that comes back": [set(0, 1, "a"), set(2, 9, "b"), got(3, 4, "b"), got(5, 6, "a")],
  "a lost write": [set(0, 1, "a"), got(2, 3, undefined)],
  "a lost increment": [increment(0, 2, 1, 1), increment(1, 3, 1, 1)],
  "an increment that counted twice": [increment(0, 1, 1, 2)],
  "two creates that both won": [create(0, 5, "a", "r1"), create(1, 6, "b", "r2")],
  "a create that lost against nobody": [create(0, 1, "a", undefined)],
  "two replaces of one revision that both won": [
    set(0, 1, "a", "r"),
    replace(2, 5, "r", "b", "r2"),
    replace(3, 6, "r", "c", "r3"),
  ],
  "a replace that lost though nothing changed": [set(0, 1, "a", "r"), replace(2, 3, "r", "b", undefined)],
  "two deletes that both found it": [set(0, 1, "a"), deleted(2, 5, true), deleted(3, 6, true)],
  "a delete that found nothing": [set(0, 1, "a"), deleted(2, 3, false)],
  "a read of what was deleted before": [set(0, 1, "a"), deleted(2, 3, true), got(4, 5, "a")],
  "two readers that saw two writes in two orders": [
    set(0, 20, "a"),
    set(1, 21, "b"),
    got(2, 3, "a"),
    got(4, 5, "b"),
    got(6, 7, "a"),
    got(8, 9, "b"),
  ],
  "an unanswered write that is seen, gone, and seen again": [
    set(0, NEVER, "a"),
    got(1, 2, "a"),
    got(3, 4, undefined),
    got(5, 6, "a"),
  ],
};

describe("linearizable", () => {
  for (const [title, history] of Object.entries(GOOD)) {
    test(title, () => assert.deepEqual(checkHistory(history), { linearizable: true }));
  }
});

describe("not linearizable", () => {
  for (const [title, history] of Object.entries(BAD)) {
    test(title, () => assert.equal(checkHistory(history).linearizable, false));
  }
});

test("a long history of many clients is checked in no time", () => {
  const history: Recorded[] = [];
  for (let round = 0; round < 60; round++)
    history.push(
      set(round * 3, round * 3 + 5, round),
      got(round * 3 + 1, round * 3 + 4, round - 1 < 0 ? undefined : round - 1),
    );
  const started = performance.now();
  checkHistory(history);
  assert.ok(performance.now() - started < 5000);
});
