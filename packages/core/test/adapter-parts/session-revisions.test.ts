import { expect, test } from "vitest";
import { SessionRevisions } from "../../src/adapter-parts/session-revisions.ts";

test("no two openings give out the same revision", () => {
  const one = new SessionRevisions();
  const other = new SessionRevisions();
  const given = Array.from({ length: 1_000 }, () => [one.next(), other.next()]).flat();
  expect(new Set(given).size).toBe(2_000);
});

test("revisions stay different where the count carries over", () => {
  const revisions = new SessionRevisions(6);
  const given = new Set<string>();
  const count = 36 ** 4 - 36 ** 3 + 10;
  let before = "";
  for (let i = 0; i < count; i++) {
    const next = revisions.next();
    if (i < 5 || i > count - 20) given.add(next);
    if (next === before) throw new Error(`${next} came twice`);
    before = next;
  }
  expect(given.size).toBe(24);
  expect([...given].every((revision) => /^[\w-]{16}$/.test(revision))).toBe(true);
});
