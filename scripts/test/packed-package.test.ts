import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { problemsOf } from "../packed-package.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kv-packed-"));
  write("repository/packages/core/README.md", "# Core\n");
  write("repository/README.md", "# The repository\n\n## How fast?\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

const web = "https://github.com/kv-ts/kv";

function problems(files: Readonly<Record<string, string>>): string[] {
  const repository = { type: "git", url: `git+${web}.git`, directory: "packages/core" };
  for (const [path, content] of Object.entries({ "package.json": JSON.stringify({ repository }), ...files }))
    write(`packed/${path}`, content);
  return problemsOf(join(root, "packed"), join(root, "repository"));
}

it("finds nothing where everything leads somewhere", () => {
  const readme = [
    "# A package",
    "## What it does, and `why`",
    `[the repository](${web}#readme) [fast](${web}#how-fast) [core](${web}/tree/main/packages/core)`,
    "[why](#what-it-does-and-why) [more](docs/more.md#more-of-it) [source](src/index.ts) ![chart](docs/chart.svg)",
    "[elsewhere](https://example.org/x#y) [mail](mailto:a@example.org)",
    "```ts\n// [not a link](nowhere.md)\n```",
    "`[nor](this.md)`",
  ].join("\n\n");
  expect(
    problems({
      "README.md": readme,
      "docs/more.md": "# More of it\n[back](../README.md)",
      "docs/chart.svg": "",
      "src/index.ts": "",
      "dist/bundle/index.js": "//# sourceMappingURL=index.js.map",
      "dist/bundle/index.js.map": JSON.stringify({ sources: ["../../src/index.ts"] }),
    }),
  ).toEqual([]);
});

it("finds links that lead nowhere, out of the package, and to headings that are not there", () => {
  const readme = [
    "[gone](docs/middleware.md) [out](../../README.md) [no heading](#nothing)",
    `[not there](${web}/blob/main/packages/core/test/x.ts) [no such](${web}#slow)`,
    "[reference]\n\n[reference]: missing.md",
    '<img src="missing.png">',
  ].join("\n\n");
  expect(problems({ "README.md": readme })).toEqual([
    "README.md: the link #nothing leads to a heading that does not exist",
    "README.md: the link ../../README.md leaves the package; make it absolute",
    "README.md: the link docs/middleware.md leads to a file that is not in the package",
    `README.md: the link ${web}#slow leads to a heading that does not exist`,
    `README.md: the link ${web}/blob/main/packages/core/test/x.ts leads to a file that is not in the repository`,
    "README.md: the link missing.md leads to a file that is not in the package",
    "README.md: the link missing.png leads to a file that is not in the package",
  ]);
});

it("finds maps and sources that were not packed, and a manifest without a repository", () => {
  expect(
    problems({
      "package.json": "{}",
      "dist/index.d.ts": "export {};\n//# sourceMappingURL=index.d.ts.map",
      "dist/bundle/index.js": "//# sourceMappingURL=index.js.map\n",
      "dist/bundle/index.js.map": JSON.stringify({ sources: ["../errors.js"] }),
    }),
  ).toEqual([
    "dist/bundle/index.js.map: its source ../errors.js is not in the package",
    "dist/index.d.ts: its source map index.d.ts.map is not in the package",
    "package.json: repository must have url and directory, or the package's page cannot link to its sources",
  ]);
});

it("the pages of this repository's packages lead somewhere, as they will be packed", () => {
  const repository = join(import.meta.dirname, "../..");
  for (const path of globSync("packages/*/package.json", { cwd: repository })) {
    const folder = join(repository, path, "..");
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    if (manifest.private) continue;
    // Without what is built: the tarballs themselves are looked at by check:packages.
    const packed = join(root, manifest.name);
    const patterns = ["package.json", "*.md", "docs/**", "src/**"].filter(
      (pattern) => !pattern.includes("/") || manifest.files.includes(pattern.split("/")[0]),
    );
    for (const file of globSync(patterns, { cwd: folder })) {
      if (existsSync(join(folder, file)) && !/\.[a-z]+$/.test(file)) continue;
      mkdirSync(dirname(join(packed, file)), { recursive: true });
      writeFileSync(join(packed, file), readFileSync(join(folder, file)));
    }
    expect(problemsOf(packed, repository), manifest.name).toEqual([]);
  }
});
