import { createStore } from "@kv/core";
import { leveldb } from "@kv/leveldb";
import { sqlite } from "@kv/sqlite";
import { tiered } from "@kv/tiered";
import { expect, it } from "vitest";
import { scratchDirectory, startChild } from "./child.ts";

it("a process that forgot to close lives until the far tier has what only its memory has", async (ctx) => {
  const directory = scratchDirectory(ctx.onTestFinished);
  const child = startChild("write-behind", directory, "memory", "500");
  ctx.onTestFinished(() => void child.process.kill("SIGKILL"));
  await child.line((line) => line === "written");
  expect(await child.ended).toEqual({ code: 0, signal: null });
  await using far = createStore(sqlite({ path: `${directory}/far.db` }));
  expect(await far.get("k")).toBe(1);
});

it("a process that forgot to close ends where a journal has what the far tier has not", async (ctx) => {
  const directory = scratchDirectory(ctx.onTestFinished);
  // For longer than the test may take.
  const child = startChild("write-behind", directory, "leveldb", "600000");
  ctx.onTestFinished(() => void child.process.kill("SIGKILL"));
  await child.line((line) => line === "written");
  expect(await child.ended).toEqual({ code: 0, signal: null });
  const far = sqlite({ path: `${directory}/far.db` });
  const adapter = tiered({ near: leveldb({ path: `${directory}/near` }), far, write: "behind" });
  await using store = createStore(adapter);
  expect(await store.get("k")).toBe(1);
  await adapter.flush();
});
