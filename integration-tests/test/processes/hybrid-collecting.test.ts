import { join } from "node:path";
import { createStore } from "@kv/core";
import { files, hybrid } from "@kv/hybrid";
import { sqlite } from "@kv/sqlite";
import { expect, it } from "vitest";
import { scratchDirectory, startChild } from "./child.ts";

const FOR_MS = process.env["KV_TEST_FULL"] === "1" ? 20_000 : 1_500;
const ROLES = ["writer", "writer", "reader", "collector", "collector"];

for (const layout of ["content", "readable"]) {
  it(`two writers of the same contents, a reader and two collectors in processes of their own find every file (${layout})`, async ({
    onTestFinished,
  }) => {
    const directory = scratchDirectory(onTestFinished);
    const children = ROLES.map((role) =>
      startChild("hybrid/hybrid-churn", role, directory, layout, String(FOR_MS)),
    );
    onTestFinished(() => {
      for (const child of children) child.process.kill("SIGKILL");
    });
    const done: number[] = [];
    for (const child of children) {
      expect(await child.ended).toEqual({ code: 0, signal: null });
      const told = JSON.parse(child.lines().at(-1) ?? "{}") as {
        role: string;
        done: number;
        faults: string[];
      };
      expect(told.faults, told.role).toEqual([]);
      expect(told.done, told.role).toBeGreaterThan(0);
      done.push(told.done);
    }
    await using store = createStore(
      hybrid({ index: sqlite({ path: join(directory, "index.db") }), directory: join(directory, "files") }),
    );
    expect((await files(store).verify()).problems).toEqual([]);
    await files(store).collect({ grace: 0 });
    expect((await files(store).verify()).unreferenced).toEqual({ files: 0, bytes: 0 });
    console.log(
      `${layout}: ${ROLES.map((role, i) => `${role} ${done[i]}`).join(", ")} rounds; no file missed`,
    );
  }, 120_000);
}
