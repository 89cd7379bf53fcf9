import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lintStructure } from "../lint-structure.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kv-structure-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A package of the name `core` with these sources. */
function core(files: Record<string, string>, manifest: object = { name: "@kv/core" }): void {
  for (const [file, content] of Object.entries({ "package.json": JSON.stringify(manifest), ...files })) {
    const path = join(root, "packages/core", file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

const numbered = (folder: string, count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${folder}/file-${i}.ts`, ""]));

it("accepts a tree in order", () => {
  core({
    "src/a.ts": `// See \`b.ts\` and \`order/lane.ts\`.\nimport "./b.ts";`,
    "src/b.ts": "",
    "src/order/lane.ts": "",
  });
  expect(lintStructure(root)).toEqual([]);
});

it("counts the files of a folder, and not those of the folders in it", () => {
  core({ ...numbered("src", 12), ...numbered("src/order", 13) });
  expect(lintStructure(root)).toEqual([
    "packages/core/src/order: holds 13 files, but may hold 12: group some of them in a folder",
  ]);
});

it("refuses a comment that names a file which does not exist", () => {
  core({ "src/a.ts": `const text = "\`gone.ts\`";\n/**\n * Laid out as \`meta.ts\` says.\n */` });
  expect(lintStructure(root)).toEqual([
    "packages/core/src/a.ts:3: the comment names `meta.ts`, which does not exist",
  ]);
});

it("finds circles, those of types included, in what is published", () => {
  const circle = {
    "src/a.ts": `import type { B } from "./b.ts";`,
    "src/b.ts": `export { c } from "./c.ts";`,
    "src/c.ts": `import "./a.ts";`,
  };
  core(circle);
  expect(lintStructure(root)).toEqual([
    "packages/core/src/a.ts: imports itself in a circle: packages/core/src/a.ts → packages/core/src/b.ts → packages/core/src/c.ts → packages/core/src/a.ts",
  ]);
});

it("finds nothing in this repository", () => {
  expect(lintStructure(join(import.meta.dirname, "../.."))).toEqual([]);
});
