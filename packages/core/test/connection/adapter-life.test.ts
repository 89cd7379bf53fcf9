import { createStore, forward } from "@kv/core";
import { expect, it } from "vitest";
import { FakeAdapter } from "../fake-adapter.ts";

function counting(failures = 0) {
  const calls: string[] = [];
  let left = failures;
  const adapter = new FakeAdapter({
    async open() {
      calls.push("open");
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (left-- > 0) throw new Error("not yet");
    },
    async close() {
      calls.push("close");
      await new Promise((resolve) => setTimeout(resolve, 20));
      calls.push("closed");
    },
  });
  return { adapter, calls };
}

it("the first of several stores over one adapter opens it, and the last one closes it", async () => {
  const { adapter, calls } = counting();
  const [one, two] = [
    createStore(adapter),
    createStore(adapter, { middleware: [(inner) => forward(inner)] }),
  ];
  await Promise.all([one.set("k", 1), two.has("k")]);
  await one.close();
  expect(await two.get("k")).toBe(1);
  expect(calls).toEqual(["open"]);
  await two.close();
  expect(calls).toEqual(["open", "close", "closed"]);
});

it("a store that is opened while the adapter is being closed waits for that", async () => {
  const { adapter, calls } = counting();
  const one = createStore(adapter);
  await one.set("k", 1);
  const closed = one.close();
  await expect.poll(() => calls).toContain("close");
  const two = createStore(adapter);
  await Promise.all([closed, two.set("k", 2)]);
  await two.close();
  expect(calls).toEqual(["open", "close", "closed", "open", "close", "closed"]);
});

it("where opening fails, it fails for all, and the next operation of either tries again", async () => {
  const { adapter, calls } = counting(1);
  const [one, two] = [createStore(adapter), createStore(adapter)];
  const outcomes = await Promise.allSettled([one.set("k", 1), two.set("k", 2)]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await two.set("k", 3);
  expect(await one.get("k")).toBe(3);
  await one.close();
  await two.close();
  expect(calls).toEqual(["open", "open", "close", "closed"]);
});
