import { memory } from "@kv/memory";
import { describe, test } from "vitest";
import { plan } from "../src/plan.ts";
import type { Harness } from "../src/suite/harness.ts";
import { judge } from "../src/suite/run-case.ts";

const harness: Harness = {
  name: "memory in real time",
  views: "root",
  create: () => ({ adapter: memory() }),
};

/** An adapter whose clock cannot be set. One run is enough, since every adapter here has a clock that can. */
describe("memory in real time", () => {
  for (const one of plan(harness)) {
    test(`${one.chapter.title} › ${one.case.title}`, { timeout: 60_000 }, async (context) => {
      const verdict = await judge(harness, one);
      if (verdict.status === "skipped") context.skip(verdict.reason);
      if (verdict.status === "failed") throw verdict.error;
    });
  }
});
