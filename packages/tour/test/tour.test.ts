import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoreConfig } from "@kv/config";
import { describe, expect, it, onTestFinished } from "vitest";
import { visit } from "../src/visit.ts";
import { MANIFESTS } from "./fixture-manifests.ts";

const EXPECTED = [
  "9 entries",
  "5 of 5",
  ["node"],
  ["undici-types@7.24.6", "color@1.1.4", "chalk@5.6.2", "chalk@4.1.2"],
  ["MIT 3", "ISC 1", "none 1"],
  "ansi-styles",
  ["chalk@4.1.2", "color@1.1.4"],
  1000,
  "there, then gone",
  "set to rain",
  "Ada, Bob lost",
];

describe("the tour", () => {
  it.each(["memory", "sqlite"] as const)("gives the answers that are expected from %s", async (adapter) => {
    const directory = mkdtempSync(join(tmpdir(), "kv-tour-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const config: StoreConfig =
      adapter === "memory" ? { adapter } : { adapter, path: join(directory, "tour.db") };
    const done: number[] = [];
    const answers = await visit(config, MANIFESTS, (count, total) => done.push(count / total));
    expect(answers.map(({ answer }) => answer)).toEqual(EXPECTED);
    expect(done).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
    for (const { milliseconds } of answers) expect(milliseconds).toBeGreaterThan(0);
  });
});
