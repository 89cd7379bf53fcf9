import { expect, it } from "vitest";
import { formatSummary } from "../test-summary.ts";

it("ends with the counts", () => {
  expect(formatSummary({ passed: 3, failed: [], skipped: [] })).toBe("3 passed, 0 failed, 0 skipped");
});

it("names what was skipped with its reason, and what failed", () => {
  const skipped = [
    { name: "core › a", reason: "needs KV_TEST_FULL=1" },
    { name: "core › b", reason: undefined },
  ];
  expect(formatSummary({ passed: 0, failed: ["core › c"], skipped })).toBe(
    [
      "Skipped:",
      "  core › a: needs KV_TEST_FULL=1",
      "  core › b: no reason given",
      "Failed:",
      "  core › c",
      "0 passed, 1 failed, 2 skipped",
    ].join("\n"),
  );
});

it("counts, but does not name, what a filter left out", () => {
  const skipped = [{ name: "core › b", reason: undefined }];
  expect(formatSummary({ passed: 1, failed: [], skipped }, true)).toBe(
    ["Skipped:", "  1 that the filter left out", "1 passed, 0 failed, 1 skipped"].join("\n"),
  );
});

it("names a case that many stores skip for one reason once", () => {
  const skipped = ["memory", "sqlite", "sqlite through a scope"].map((store) => ({
    name: `integration-tests › ${store} › ranges › a snapshot`,
    reason: "its scans are none",
  }));
  expect(formatSummary({ passed: 3, failed: [], skipped })).toBe(
    [
      "Skipped:",
      "  ranges › a snapshot: its scans are none",
      "    in 3: memory, sqlite × 2",
      "3 passed, 0 failed, 3 skipped",
    ].join("\n"),
  );
});
