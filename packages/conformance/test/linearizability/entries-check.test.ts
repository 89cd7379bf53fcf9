import { expect, test } from "vitest";
import { checkEntries, type EntryOperation } from "../../src/linearizability/index.ts";

function increment(key: string, called: number, returned: number, number?: number): EntryOperation {
  const output = number === undefined ? undefined : { number };
  return { client: "c", input: { do: "increment", key, by: 1 }, output, called, returned };
}

test("keys are checked by themselves, and only what is wrong is told", () => {
  const right = increment("a", 0, 10, 1);
  const first = increment("b", 1, 2, 1);
  const wrong = increment("b", 3, 4.5, 1);
  const doubtful = increment("b", 5, 9);
  const { histories, refused } = checkEntries([doubtful, wrong, right, first]);
  expect(histories).toBe(2);
  expect(refused).toEqual([
    [
      "not linearizable:",
      '  0.00–1.00 c: {"do":"increment","key":"b","by":1} → {"number":1}',
      '> 2.00–3.50 c: {"do":"increment","key":"b","by":1} → {"number":1}',
      '  4.00–? c: {"do":"increment","key":"b","by":1} → undefined',
    ].join("\n"),
  ]);
});

test("keys and revisions are told apart whatever characters they hold", () => {
  const set = (key: string, at: number, value: number, revision: string): EntryOperation => ({
    client: "c",
    input: {
      do: "commit",
      checks: [],
      writes: [
        { write: "set", key, value },
        { write: "delete", key: "z" },
      ],
    },
    output: { revisions: [[key, revision]] },
    called: at,
    returned: 10,
  });
  const got = (key: string, value: number, revision: string): EntryOperation => ({
    client: "c",
    input: { do: "get", key },
    output: { got: { value, revision } },
    called: 20,
    returned: 21,
  });
  const writes = [set("a", 0, 1, "r b=2@s"), set("b", 1, 2, "s"), set("a=1@r b", 2, 2, "s")];
  const reads = [got("a", 1, "r b=2@s"), got("b", 2, "s"), got("a=1@r b", 2, "s")];
  expect(checkEntries([...writes, ...reads])).toEqual({ histories: 1, refused: [] });
});

test("no history at all is in order", () => {
  expect(checkEntries([])).toEqual({ histories: 0, refused: [] });
});
