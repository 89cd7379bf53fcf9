import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lintDependencies } from "../lint-dependencies.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kv-lint-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** A package with its declared dependencies and its files. */
function pack(name: string, manifest: object, files: Record<string, string> = {}): void {
  const folder = name === "integration-tests" ? name : `packages/${name}`;
  write(`${folder}/package.json`, JSON.stringify({ name: `@kv/${name}`, ...manifest }));
  for (const [file, content] of Object.entries(files)) write(`${folder}/${file}`, content);
}

const lint = (): string[] => lintDependencies(root);

describe("directions", () => {
  it("accepts a tree in order", () => {
    pack("core", { dependencies: { devalue: "1" } }, { "src/index.ts": `import { parse } from "devalue";` });
    pack(
      "memory",
      { peerDependencies: { "@kv/core": "1" } },
      { "src/index.ts": `export * from "@kv/core";` },
    );
    pack(
      "config",
      { peerDependencies: { "@kv/core": "1", "@kv/memory": "1" } },
      { "src/index.ts": `import { readFile } from "node:fs/promises"; await import("@kv/memory");` },
    );
    expect(lint()).toEqual([]);
  });

  it("wants core to be a peer of what is published", () => {
    pack("sqlite", { dependencies: { "@kv/core": "1" } });
    pack("tour", { private: true, dependencies: { "@kv/core": "1" } });
    expect(lint()).toEqual([
      "packages/sqlite/package.json: @kv/core must be a peer dependency, or a program may get several copies of it",
    ]);
  });

  it("lets core import no other @kv package, types included", () => {
    pack(
      "core",
      { devDependencies: { "@kv/memory": "1" } },
      { "src/store.ts": `\nimport type { Memory } from "@kv/memory";\n` },
    );
    expect(lint()).toEqual([
      `packages/core/src/store.ts:2: imports "@kv/memory": @kv/core imports no other @kv package`,
    ]);
  });

  it("lets hybrid import redis, in its entry for those who have both", () => {
    pack(
      "hybrid",
      { peerDependencies: { "@kv/redis": "1", "@kv/sqlite": "1" } },
      { "src/redis.ts": `import "@kv/redis";`, "src/adapter.ts": `import "@kv/redis";` },
    );
    expect(lint()).toEqual([
      "packages/hybrid/package.json: depends on @kv/sqlite: an adapter may import @kv/core, @kv/redis only",
      `packages/hybrid/src/adapter.ts:1: imports "@kv/redis": only ${join("src", "redis.ts")} may import @kv/redis`,
    ]);
  });

  it.each(["memory", "sqlite", "leveldb", "redis", "arangodb", "tiered"])(
    "lets the adapter %s import core only",
    (adapter) => {
      const other = adapter === "memory" ? "sqlite" : "memory";
      const peerDependencies = { "@kv/core": "1", [`@kv/${other}`]: "1" };
      pack(
        adapter,
        { peerDependencies },
        { "src/adapter.ts": `import "@kv/core"; import "@kv/${other}/sub";` },
      );
      expect(lint()).toEqual([
        `packages/${adapter}/package.json: depends on @kv/${other}: an adapter may import @kv/core only`,
        `packages/${adapter}/src/adapter.ts:1: imports "@kv/${other}/sub": an adapter may import @kv/core only`,
      ]);
    },
  );

  it.each(["conformance", "msgpack"])("lets %s import core only", (name) => {
    pack(name, { peerDependencies: { "@kv/core": "1", "@kv/config": "1" } });
    expect(lint()).toEqual([
      `packages/${name}/package.json: depends on @kv/config: @kv/${name} may import @kv/core only`,
    ]);
  });

  it.each(["bench", "tour"])("lets %s import adapters, and nobody import it", (name) => {
    pack(
      name,
      { private: true, dependencies: { "@kv/sqlite": "1" } },
      { "src/main.ts": `import "@kv/sqlite";` },
    );
    pack("config", { dependencies: { [`@kv/${name}`]: "1" } });
    expect(lint()).toEqual([
      `packages/config/package.json: depends on @kv/${name}: @kv/${name} is a program of this repository, which no package imports`,
    ]);
  });

  it("lets tests import any package that is declared", () => {
    const files = { "test/store.test.ts": `import "@kv/memory"; import "@kv/core"; import "@kv/sqlite";` };
    pack("core", { devDependencies: { "@kv/memory": "1" } }, files);
    pack(
      "integration-tests",
      { devDependencies: { "@kv/memory": "1" } },
      { "test/a.test.ts": `import "@kv/memory";` },
    );
    expect(lint()).toEqual([
      `packages/core/test/store.test.ts:1: imports "@kv/sqlite": @kv/sqlite is not declared in @kv/core's package.json`,
    ]);
  });

  it("asks for a rule where a package has none", () => {
    pack("surprise", {});
    expect(lint()).toEqual([
      "packages/surprise/package.json: @kv/surprise has no rule. Add the packages that it may import to scripts/lint-dependencies.ts.",
    ]);
  });
});

describe("imports", () => {
  it.each([
    [`import x from "left-pad";`],
    [`import type { X } from "left-pad/types";`],
    [`export { x } from "left-pad";`],
    [`export * from "left-pad";`],
    [`const x = await import("left-pad");`],
    [`type X = import("left-pad").X;`],
    [`const x = require("left-pad");`],
    [`import x = require("left-pad");`],
  ])("finds the undeclared package in %s", (code) => {
    pack("core", {}, { "src/a.ts": code });
    expect(lint()).toEqual([expect.stringContaining("left-pad is not declared in @kv/core's package.json")]);
  });

  it("does not mistake comments and strings for imports", () => {
    pack(
      "core",
      {},
      { "src/a.ts": `// import "a";\n/** import "b" */\nconst c = 'import "c"' + \`import "d"\`;` },
    );
    expect(lint()).toEqual([]);
  });

  it("wants what published sources import to be installed with them", () => {
    const manifest = { devDependencies: { zod: "1" } };
    pack("core", manifest, { "src/a.ts": `import "zod";`, "test/a.test.ts": `import "zod";` });
    expect(lint()).toEqual([
      `packages/core/src/a.ts:1: imports "zod": zod is only a devDependency, so it is missing where @kv/core is installed`,
    ]);
  });

  it("keeps relative imports inside the package", () => {
    pack(
      "memory",
      {},
      { "src/a.ts": `import "./b.ts"; import "../test/c.ts"; import "../../memory-2/src/a.ts";` },
    );
    expect(lint()).toEqual([
      `packages/memory/src/a.ts:1: imports "../../memory-2/src/a.ts": a relative import may not leave its package; import the other package by name`,
    ]);
  });

  it("wants node: before a builtin, and no import of the package by its own name", () => {
    pack("config", {}, { "src/a.ts": `import "fs";\nimport "@kv/config";` });
    expect(lint()).toEqual([
      `packages/config/src/a.ts:1: imports "fs": write "node:fs"`,
      `packages/config/src/a.ts:2: imports "@kv/config": a package imports its own files by their relative path`,
    ]);
  });
});

describe("file names", () => {
  it.each(["utils.ts", "types.ts"])("refuses %s in src, at any depth", (name) => {
    pack("core", {}, { [`src/${name}`]: "", [`src/deep/${name}`]: "", [`test/${name}`]: "" });
    expect(lint()).toEqual([
      `packages/core/src/deep/${name}: a file is named after the one idea in it, not "${name}"`,
      `packages/core/src/${name}: a file is named after the one idea in it, not "${name}"`,
    ]);
  });

  it("refuses tests among the sources, and reads neither dist nor node_modules", () => {
    const bad = `import "left-pad";`;
    pack("core", {}, { "src/a.test.ts": "", "dist/a.js": bad, "node_modules/x/a.js": bad });
    expect(lint()).toEqual(["packages/core/src/a.test.ts: tests live in test/, or they would be published"]);
  });
});

it("finds nothing in this repository", () => {
  expect(lintDependencies(join(import.meta.dirname, "../.."))).toEqual([]);
});
