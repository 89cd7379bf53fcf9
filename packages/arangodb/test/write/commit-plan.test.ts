import { type Commit, type Mutation, namespaceOf, SessionRevisions } from "@kv/core";
import { describe, expect, test } from "vitest";
import { type Answer, planned, resultsOf, slotsOf } from "../../src/write/commit-plan.ts";

const ROOT = namespaceOf([]);
const set = (key: string, payload: unknown, expiresAt?: number | "keep"): Mutation => ({
  type: "set",
  key,
  payload,
  encoding: "json",
  expiresAt,
  policy: "persist",
  user: undefined,
});
const add = (key: string, by: number): Mutation => ({
  type: "increment",
  key,
  by,
  expiresAt: undefined,
  policy: "persist",
  user: undefined,
});
const gone = (key: string): Mutation => ({ type: "delete", key });
const of = (...mutations: Mutation[]): Commit => ({ checks: [], mutations });
const slots = (...commits: Commit[]) => slotsOf(commits, new SessionRevisions(), { now: 1000 });

describe("a batch of commits", () => {
  test("is one statement where they have no key in common", () => {
    expect(slots(of(set("a", 1)), of(add("b", 1), set("c", 2)), of(gone("d")))).toHaveLength(3);
  });

  test("increments and sets of one key in a row are one, and every commit has its own result", () => {
    const [slot, ...rest] = slots(of(add("n", 1)), of(add("n", -3)), of(add("n", 5))) ?? [];
    expect(rest).toEqual([]);
    const { commit } = planned(ROOT, slot!);
    expect(commit.writes).toMatchObject([{ op: "increment", by: 3, low: -2, high: 3 }]);
    const answer: Answer = [[], null, [[true, 10]]];
    const values = resultsOf(slot!, answer)?.map(
      (result) => result.status === "ok" && result.outcomes[0]?.value,
    );
    expect(values).toEqual([11, 8, 13]);

    const [sets] = slots(of(set("k", 1, 5000)), of(set("k", 2, "keep"))) ?? [];
    const { writes } = planned(ROOT, sets!).commit;
    expect(writes).toMatchObject([{ op: "set", keep: false, doc: { value: 2, expiresAt: 5000 } }]);
    expect(new Set(sets?.revisions).size).toBe(2);
  });

  test.each([
    ["a set and an increment of one key", of(set("a", 1)), of(add("a", 1))],
    ["a set that has expired, and one behind it", of(set("a", 1, 999)), of(set("a", 2))],
    ["increments by fractions", of(add("a", 0.1)), of(add("a", 0.2))],
    [
      "a check of what another one writes",
      of(set("a", 1)),
      { checks: [{ key: "a", revision: null }], mutations: [set("b", 1)] },
    ],
    ["a key twice in one commit", of(set("a", 1), gone("a")), of()],
  ])("has to be looked at first where there is %s", (_, ...commits) => {
    expect(slots(...commits)).toBeUndefined();
  });

  test("whatever a commit depends on is written, so that two which depend on each other meet", () => {
    const [slot] = slots({ checks: [{ key: "read", revision: "r" }], mutations: [set("written", 1)] }) ?? [];
    const { commit } = planned(ROOT, slot!);
    expect(commit.several).toBe(true);
    expect(commit.writes.map(({ op, doc }) => [op, doc.key])).toEqual([
      ["set", "written"],
      ["hold", "read"],
    ]);
  });

  test("where the statement cannot tell there is no result", () => {
    const [slot] = slots(of(add("n", 1))) ?? [];
    expect(resultsOf(slot!, [[], [2, "n"], [[true, 0]]])).toBeUndefined();
    expect(resultsOf(slot!, [[], [1, "n"], [[true, 0]]])).toEqual([{ status: "not-a-number", key: "n" }]);
    expect(resultsOf(slot!, [["a", "b", "a"], null, []])).toEqual([
      { status: "conflict", failed: ["a", "b"] },
    ]);
  });
});
