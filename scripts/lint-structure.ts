// Keeps the tree readable: a folder holds few files, a comment names only files that exist, and the files of a published
// package do not import each other in a circle.

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { importsOf } from "./lint/imports.ts";
import { commentsIn } from "./lint/syntax.ts";

/** How many files a folder may hold, not counting the folders in it. */
const MOST_FILES = 12;

const TREES = ["packages/*/src", "packages/*/test", "integration-tests", "scripts"];

/** Every violation below `root`, one line each; none when the tree is in order. */
export function lintStructure(root: string): string[] {
  const files = sourcesOf(root);
  return [...crowdedFolders(files), ...missingFiles(root, files), ...circlesOf(root, files)];
}

function sourcesOf(root: string): string[] {
  return globSync(
    TREES.map((tree) => `${tree}/**/*.{ts,mjs}`),
    { cwd: root, exclude: (name) => name === "node_modules" || name === "dist" },
  ).sort();
}

function crowdedFolders(files: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > MOST_FILES)
    .map(
      ([folder, count]) =>
        `${folder}: holds ${count} files, but may hold ${MOST_FILES}: group some of them in a folder`,
    );
}

/** Comments that name a TypeScript file in backquotes, as in "see `lint/imports.ts`", where there is no such file. */
function missingFiles(root: string, files: readonly string[]): string[] {
  // A path begins at the repository, at `packages`, or beside the comment; a name alone means a file of the same package.
  const known = (file: string, named: string): boolean =>
    ["", "packages", dirname(file)].some((folder) => existsSync(join(root, folder, named))) ||
    files.some((each) => packageOf(each) === packageOf(file) && each.endsWith(`${sep}${named}`));
  return files.flatMap((file) =>
    commentsIn(join(root, file)).flatMap(({ text, line }) =>
      [...text.matchAll(/`([\w./-]+\.ts)`/g)]
        .map(({ 1: named = "", index }) => ({
          named,
          at: line + text.slice(0, index).split("\n").length - 1,
        }))
        .filter(({ named }) => !known(file, named))
        .map(({ named, at }) => `${file}:${at}: the comment names \`${named}\`, which does not exist`),
    ),
  );
}

function packageOf(file: string): string {
  const [top = "", name = ""] = file.split(sep);
  return top === "packages" ? join(top, name) : top;
}

/** Circles of imports within the sources of a package, type-only imports included. Each is reported once. */
function circlesOf(root: string, files: readonly string[]): string[] {
  const sources = files.filter((file) => /^packages\/[^/]+\/src\//.test(file.replaceAll(sep, "/")));
  const among = new Set(sources.filter((file) => isPublished(root, file)));
  const importedBy = new Map([...among].map((file) => [file, relativeImports(root, file, among)]));
  const found: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      found.push(`${file}: imports itself in a circle: ${[...path.slice(at), file].join(" → ")}`);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const imported of importedBy.get(file) ?? []) visit(imported);
    path.pop();
    done.add(file);
  };
  for (const file of among) visit(file);
  return found;
}

const published = new Map<string, boolean>();

function isPublished(root: string, file: string): boolean {
  const manifest = join(root, ...file.split(sep).slice(0, 2), "package.json");
  const known = published.get(manifest);
  if (known !== undefined) return known;
  const isPublic = existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).private !== true;
  published.set(manifest, isPublic);
  return isPublic;
}

function relativeImports(root: string, file: string, among: ReadonlySet<string>): string[] {
  return importsOf(join(root, file))
    .filter(({ text }) => text.startsWith("."))
    .map(({ text }) => relative(root, resolve(root, dirname(file), text)))
    .filter((imported) => among.has(imported));
}

if (import.meta.main) {
  const problems = lintStructure(resolve(import.meta.dirname, ".."));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
