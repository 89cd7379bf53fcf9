import assert from "node:assert/strict";
import { memory } from "@kv/memory";
import { test } from "vitest";
import { plan, strayDeviations } from "../src/plan.ts";
import { runConformance } from "../src/run.ts";
import type { Harness } from "../src/suite/harness.ts";
import { judge, type PlannedCase } from "../src/suite/run-case.ts";

const TITLE = "memory › values › an absent key reads as undefined";

function planned(harness: Harness, title: string): PlannedCase {
  const found = plan(harness).find(({ fullTitle }) => fullTitle === title);
  assert.ok(found !== undefined, title);
  return found;
}

function harness(deviations: Record<string, string>, broken = false): Harness {
  return {
    name: "memory",
    deviations,
    create() {
      const adapter = memory();
      if (broken) adapter.read = () => Promise.reject(new Error("broken"));
      return { adapter };
    },
  };
}

test("a deviation whose case fails is as expected", async () => {
  const deviating = harness({ [TITLE]: "reads are broken" }, true);
  assert.deepEqual(await judge(deviating, planned(deviating, TITLE)), { status: "passed" });
});

test("a deviation whose case passes is a failure that says so", async () => {
  const deviating = harness({ [TITLE]: "reads are broken" });
  const verdict = await judge(deviating, planned(deviating, TITLE));
  assert.ok(verdict.status === "failed");
  assert.match(String(verdict.error), /passes.*reads are broken/);
});

test("a deviation that names no case is a failure", async () => {
  const deviating = harness({ "memory › values › no such case": "a typing error" });
  assert.deepEqual(strayDeviations(deviating, plan(deviating)), ["memory › values › no such case"]);
});

test("a case that cannot be run is skipped with its reason, or runs what must hold instead", async () => {
  const whole = harness({});
  const skipped = await judge(whole, planned(whole, "memory › ranges › a cursor survives a restart"));
  assert.deepEqual(skipped, { status: "skipped", reason: "its data do not survive a restart" });
  const deaf: Harness = {
    name: "deaf",
    create() {
      const adapter = memory();
      return {
        adapter: Object.defineProperty(adapter, "capabilities", {
          value: { ...adapter.capabilities, watch: false },
        }),
      };
    },
  };
  const instead = await judge(
    deaf,
    planned(deaf, "deaf › watching › several watchers are each told everything"),
  );
  assert.deepEqual(instead, { status: "passed" });
});

test("every adapter is run in every view and through every middleware", () => {
  const titles = plan({ ...harness({}), through: [{ title: "a mirror", wrap: (inner) => inner }] }).map(
    ({ fullTitle }) => fullTitle,
  );
  for (const way of [
    "memory",
    "memory through a scope",
    "memory through a namespace",
    "memory through a mirror",
  ]) {
    assert.equal(titles.filter((title) => title.startsWith(`${way} › `)).length, titles.length / 4, way);
  }
});

test("the harness says which views the suite runs through", () => {
  const titles = (views?: Harness["views"]) =>
    new Set(
      plan({ ...harness({}), ...(views === undefined ? {} : { views }) }).map(({ variant }) => variant.title),
    );
  assert.deepEqual([...titles("root")], [""]);
  assert.deepEqual([...titles("nested")], ["", "through a scope of a namespace"]);
  assert.deepEqual([...titles("each")], ["", "through a scope", "through a namespace"]);
  assert.deepEqual(titles(), titles("each"));
  assert.throws(() => titles("every" as "each"), /views must be one of each, nested, root, not every/);
});

test("without a runner every case has a verdict, and they are counted", { timeout: 60_000 }, async () => {
  let now = 0;
  const clock = {
    advance(milliseconds: number) {
      now += milliseconds;
    },
  };
  const told: string[] = [];
  const report = await runConformance(
    { name: "memory", views: "root", create: () => ({ adapter: memory({ clock: () => now }), clock }) },
    { onResult: ({ fullTitle }) => told.push(fullTitle) },
  );
  assert.equal(told.length, report.results.length);
  assert.equal(report.passed + report.failed + report.skipped, report.results.length);
  assert.ok(report.results.every(({ verdict }) => verdict.status !== "skipped" || verdict.reason !== ""));
});
