import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lintGlobals } from "../lint-globals.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kv-lint-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A package with its files. */
function pack(name: string, manifest: object, files: Record<string, string>): void {
  const all = { "package.json": JSON.stringify({ name: `@kv/${name}`, ...manifest }), ...files };
  for (const [file, content] of Object.entries(all)) {
    const path = join(root, "packages", name, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

const lint = (): string[] => lintGlobals(root);

it("wants real timers and clocks, which no test has faked", () => {
  pack("core", {}, { "src/real-time.ts": "export const fine = () => setTimeout(() => 0, 1);\n" });
  pack(
    "memory",
    {},
    {
      "src/a.ts":
        'import { setTimeout as sleep } from "node:timers/promises";\nexport const now = () => performance.now();\nexport const bad = () => setImmediate(() => sleep(1));\n',
    },
  );
  expect(lint().filter((problem) => problem.includes("faked"))).toEqual([
    "packages/memory/src/a.ts:1: setTimeout may be faked by a test, and a store would then hang: use timer or delay of @kv/core",
    "packages/memory/src/a.ts:2: performance.now may be faked by a test, and a store would then hang: use monotonicNow of @kv/core",
    "packages/memory/src/a.ts:3: setImmediate may be faked by a test, and a store would then hang: use nextTurn or turn of @kv/core",
  ]);
});

it("wants errors, promises and bytes of any realm recognised", () => {
  pack("core", {}, { "src/a.ts": "export const bad = (e: unknown) => e instanceof Error;\n" });
  pack(
    "tour",
    { private: true },
    { "src/a.ts": "export const fine = (e: unknown) => e instanceof Error;\n" },
  );
  expect(lint()).toEqual([
    "packages/core/src/a.ts:1: checks for an instance of Error, which fails for objects of another realm: use isError of @kv/core",
  ]);
});

it("finds nothing in this repository", () => {
  expect(lintGlobals(join(import.meta.dirname, "../.."))).toEqual([]);
});
