import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type EntryInput,
  type EntryOperation,
  type EntryOutput,
  entriesModel,
  independent,
  keysOf,
  linearizable,
} from "../../src/linearizability/index.ts";

/** An operation from one time to another; without an end its outcome is unknown. */
function op(
  called: number,
  returned: number | undefined,
  input: EntryInput,
  output?: EntryOutput,
): EntryOperation {
  return { client: "c", input, output, called, returned: returned ?? Number.POSITIVE_INFINITY };
}

const key = "k";
const get = (called: number, returned: number, value: number | null, revision = "r") =>
  op(called, returned, { do: "get", key }, { got: value === null ? null : { value, revision } });
/** A get that does not ask for the revision. */
const seen = (called: number, returned: number, value: number | null) =>
  op(called, returned, { do: "get", key }, { got: value === null ? null : { value } });
const set = (called: number, returned: number | undefined, value: number, revision = `r${called}`) =>
  op(called, returned, { do: "set", key, value }, returned === undefined ? undefined : { revision });
const deleted = (called: number, returned: number, existed: boolean) =>
  op(called, returned, { do: "delete", key }, { existed });
const create = (called: number, returned: number | undefined, value: number, revision?: string | null) =>
  op(called, returned, { do: "create", key, value }, revision === undefined ? undefined : { revision });
const replace = (called: number, returned: number, value: number, old: string, revision: string | null) =>
  op(called, returned, { do: "replace", key, value, revision: old }, { revision });
const increment = (called: number, returned?: number, number?: number) =>
  op(called, returned, { do: "increment", key, by: 1 }, number === undefined ? undefined : { number });

function verdict(...history: EntryOperation[]): string {
  return linearizable(entriesModel, history).is;
}

describe("histories that are accepted", () => {
  test.each<[string, EntryOperation[]]>([
    ["nothing at all", []],
    ["one after the other", [create(0, 1, 5, "r"), get(2, 3, 5), increment(4, 5, 6), get(6, 7, 6, "s")]],
    ["a read beside a write that sees it", [create(0, 10, 5, "r"), get(1, 2, 5)]],
    ["a read beside a write that does not see it", [create(0, 10, 5, "r"), get(1, 2, null)]],
    [
      "increments at once, in any order",
      [increment(0, 10, 3), increment(0, 10, 1), increment(0, 10, 2), seen(11, 12, 3)],
    ],
    ["a set and a delete", [set(0, 1, 1), seen(2, 3, 1), deleted(4, 5, true), seen(6, 7, null)]],
    [
      "reads beside a write of which the later one sees it",
      [set(0, 1, 1), set(2, 9, 2), seen(3, 4, 1), seen(5, 6, 2)],
    ],
    [
      "reads beside the first write of which the later one sees it",
      [set(0, 9, 1), seen(1, 2, null), seen(3, 4, 1)],
    ],
    ["sets at once, in the order that a read shows", [set(0, 9, 1), set(1, 8, 2), seen(10, 11, 1)]],
    ["creates at once, with one winner", [create(0, 5, 1, null), create(1, 6, 2, "r"), seen(7, 8, 2)]],
    [
      "a replace of what was set, and one that comes too late",
      [set(0, 1, 1, "r"), replace(2, 3, 2, "r", "s"), replace(4, 5, 3, "r", null)],
    ],
    ["a read without a revision beside one with it", [set(0, 1, 1, "r"), seen(2, 3, 1), get(4, 5, 1)]],
    [
      "a race for one revision with one winner",
      [create(0, 1, 5, "r"), replace(2, 9, 6, "r", null), replace(2, 9, 7, "r", "s"), get(10, 11, 7, "s")],
    ],
    ["an unknown write that happened", [create(0, undefined, 5), get(9, 10, 5)]],
    ["an unknown write that never happened", [create(0, undefined, 5), get(9, 10, null)]],
    ["an unknown set that happened", [set(0, undefined, 1), seen(5, 6, 1)]],
    ["an unknown set that never happened", [set(0, undefined, 1), seen(5, 6, null)]],
    [
      "an unknown set that happened after another one",
      [set(0, undefined, 1), seen(1, 2, null), set(3, 4, 2), seen(5, 6, 2), seen(7, 8, 1)],
    ],
    ["an unknown write that happened late", [increment(0), get(1, 2, null), get(3, 4, 1), get(5, 6, 1)]],
    [
      "one of several unknown increments",
      [increment(0), increment(0), increment(0), get(1, 2, 1), get(3, 4, 2, "s")],
    ],
    [
      "a revision that only a read tells",
      [increment(0, 1, 1), get(2, 3, 1, "x"), replace(4, 5, 9, "x", "y")],
    ],
    [
      "a revision of an unknown write that only a read tells",
      [set(0, undefined, 1), get(1, 2, 1, "x"), replace(3, 4, 2, "x", "y"), seen(5, 6, 2)],
    ],
  ])("%s", (_, history) => {
    expect(verdict(...history)).toBe("linearizable");
  });
});

describe("histories that are refused", () => {
  test.each<[string, EntryOperation[]]>([
    ["a lost update", [increment(0, 1, 1), increment(2, 3, 1)]],
    ["a lost update of two at once", [increment(0, 2, 1), increment(1, 3, 1)]],
    ["an increment that counted twice", [increment(0, 1, 2)]],
    ["a lost update that only the last read tells", [increment(0, 5, 1), increment(0, 5, 2), get(6, 7, 1)]],
    ["a stale read", [create(0, 1, 5, "r"), replace(2, 3, 6, "r", "s"), get(4, 5, 5, "r")]],
    ["a stale read without its revision", [set(0, 1, 1), set(2, 3, 2), seen(4, 5, 1)]],
    ["a read of what was never written", [set(0, 1, 1), seen(2, 3, 2)]],
    ["a value that comes back", [set(0, 1, 1), set(2, 9, 2), seen(3, 4, 2), seen(5, 6, 1)]],
    ["a create that lost against nobody", [create(0, 1, 1, null)]],
    ["a replace that lost though nothing changed", [set(0, 1, 1, "r"), replace(2, 3, 2, "r", null)]],
    [
      "a replace of a revision that nobody can know",
      [set(0, undefined, 1), replace(3, 4, 2, "x", "y"), seen(5, 6, 2)],
    ],
    ["two deletes that both found it", [set(0, 1, 1), deleted(2, 5, true), deleted(3, 6, true)]],
    ["a delete that found nothing", [set(0, 1, 1), deleted(2, 3, false)]],
    ["a read of what was deleted before", [set(0, 1, 1), deleted(2, 3, true), seen(4, 5, 1)]],
    [
      "two readers that saw two sets in two orders",
      [set(0, 20, 1), set(1, 21, 2), seen(2, 3, 1), seen(4, 5, 2), seen(6, 7, 1), seen(8, 9, 2)],
    ],
    [
      "an unknown set that is there, gone, and there again",
      [set(0, undefined, 1), seen(1, 2, 1), seen(3, 4, null), seen(5, 6, 1)],
    ],
    ["a write that was there and is gone", [create(0, undefined, 5), get(1, 2, 5), get(3, 4, null)]],
    ["an unknown increment applied twice", [increment(0, 1, 1), increment(2), get(3, 4, 3)]],
    ["an acknowledged write that is not there", [create(0, 1, 5, "r"), get(2, 3, null)]],
    ["a failed write that is there", [get(2, 3, 5)]],
    ["two winners of one race", [create(0, 9, 5, "r"), create(0, 9, 6, "s")]],
    [
      "two winners of one revision",
      [create(0, 1, 5, "r"), replace(2, 9, 6, "r", "s"), replace(2, 9, 7, "r", "t")],
    ],
    ["a right value with another write's revision", [create(0, 1, 5, "r"), get(2, 3, 5, "s")]],
    ["an effect before its cause", [get(0, 1, 5), create(2, 3, 5, "r")]],
    [
      "reads that see two writes in two orders",
      [create(0, 1, 1, "a"), replace(2, 20, 2, "a", "b"), get(3, 4, 2, "b"), get(5, 6, 1, "a")],
    ],
  ])("%s", (_, history) => {
    expect(verdict(...history)).toBe("not linearizable");
  });
});

describe("several keys", () => {
  const commit = (called: number, returned: number | undefined, output?: EntryOutput) =>
    op(
      called,
      returned,
      {
        do: "commit",
        checks: [{ key: "a", revision: null }],
        writes: [
          { write: "set", key: "a", value: 1 },
          { write: "increment", key: "b", by: 1 },
        ],
      },
      output,
    );
  const read = (at: number, of: string, value: number | null) =>
    op(at, at + 1, { do: "get", key: of }, { got: value === null ? null : { value, revision: `r-${of}` } });
  const made: EntryOutput = {
    revisions: [
      ["a", "r-a"],
      ["b", "r-b"],
    ],
  };

  test("a commit is seen whole", () => {
    expect(verdict(commit(0, 1, made), read(2, "a", 1), read(4, "b", 1))).toBe("linearizable");
    expect(verdict(commit(0, undefined), read(2, "a", 1), read(4, "b", 1))).toBe("linearizable");
    expect(verdict(commit(0, undefined), read(2, "a", null), read(4, "b", null))).toBe("linearizable");
  });

  test("half of a commit is refused, known or unknown", () => {
    expect(verdict(commit(0, 1, made), read(2, "a", 1), read(4, "b", null))).toBe("not linearizable");
    expect(verdict(commit(0, undefined), read(2, "a", 1), read(4, "b", null))).toBe("not linearizable");
  });

  test("a commit that was not made names the checks that did not hold", () => {
    const before = op(0, 1, { do: "create", key: "a", value: 9 }, { revision: "r-a" });
    expect(verdict(before, commit(2, 3, { failed: ["a"] }), read(4, "a", 9))).toBe("linearizable");
    expect(verdict(before, commit(2, 3, { failed: [] }))).toBe("not linearizable");
    expect(verdict(before, commit(2, 3, made))).toBe("not linearizable");
    expect(verdict(commit(2, 3, { failed: ["a"] }))).toBe("not linearizable");
  });

  test("a transaction writes where it has read what is there", () => {
    const transaction = (called: number, value: number | null) =>
      op(
        called,
        called + 1,
        {
          do: "transaction",
          reads: [{ key: "a", value }],
          writes: [{ write: "set", key: "b", value: 7 }],
        },
        { committed: true },
      );
    const before = op(0, 1, { do: "create", key: "a", value: 9 }, { revision: "r-a" });
    expect(verdict(before, transaction(2, 9), read(4, "b", 7))).toBe("linearizable");
    expect(verdict(before, transaction(2, null))).toBe("not linearizable");
  });

  test("keys that are touched together are one object, and others are not", () => {
    const touched = [["a", "b"], ["c"], ["b", "d"], ["e"], ["c"], ["d"]];
    const parts = independent(touched, (keys) => keys);
    expect(parts.map((part) => [...new Set(part.flat())].sort()).sort()).toEqual([
      ["a", "b", "d"],
      ["c"],
      ["e"],
    ]);
    expect(parts.flat()).toHaveLength(touched.length);
    expect(keysOf({ do: "get", key })).toEqual([key]);
  });
});

test("many unknown operations do not make a history too large to check", () => {
  const unknown = Array.from({ length: 40 }, (_, i) => increment(i));
  const reads = Array.from({ length: 40 }, (_, i) => get(100 + 2 * i, 101 + 2 * i, i + 1, `r${i}`));
  expect(verdict(...unknown, ...reads)).toBe("linearizable");
  expect(verdict(...unknown, ...reads, get(300, 301, 41, "s"))).toBe("not linearizable");
});

test("it gives up after as many steps as it may take, and says so", () => {
  const history = Array.from({ length: 12 }, (_, i) => increment(0, 100, i === 0 ? 99 : i));
  expect(linearizable(entriesModel, history, 10).is).toBe("undecided");
});

test("a long history takes few steps, since few of its operations are under way at once", () => {
  const history = Array.from({ length: 60 }, (_, round) => [
    set(round * 3, round * 3 + 5, round),
    seen(round * 3 + 1, round * 3 + 4, round === 0 ? null : round - 1),
  ]).flat();
  expect(linearizable(entriesModel, history, 1_000).is).toBe("linearizable");
  const wrong = seen(1_000, 1_001, 0);
  expect(linearizable(entriesModel, [...history, wrong], 10_000)).toEqual({
    is: "not linearizable",
    longest: 120,
    stuck: [wrong],
  });
});

test("whoever gave up waiting may say when: the operation may still happen later", () => {
  const givenUp = { ...set(0, undefined, 1), returned: 1 };
  expect(verdict(givenUp, seen(2, 3, null), seen(4, 5, 1))).toBe("linearizable");
});

test("times that cannot be are refused", () => {
  for (const wrong of [set(2, 1, 1), set(0, Number.NaN, 1), set(Number.NaN, undefined, 1)])
    expect(() => verdict(wrong)).toThrow(/^an operation of c was called at .*one clock/);
});

test("what takes effect in a hidden order is accepted, and refused with one wrong answer", () => {
  const jitter = fc.double({ min: 0, max: 4, noNaN: true });
  const anyTimes = fc.array(fc.tuple(jitter, jitter), { minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(anyTimes, fc.nat(11), (times, wrong) => {
      // Each operation takes effect at its place in the order, between its call and its return.
      const history = times.map(([before, after], i) => increment(i - before, i + after, i + 1));
      expect(verdict(...history)).toBe("linearizable");
      const lost = history.map((operation, i) =>
        i === wrong ? { ...operation, output: { number: 20 } } : operation,
      );
      expect(verdict(...lost)).toBe("not linearizable");
    }),
    { numRuns: 200, seed: 7 },
  );
});
