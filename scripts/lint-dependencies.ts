// Keeps the arrows of ARCHITECTURE.md pointing inward: which package may import which, that every import is declared, and
// that no file has a catch-all name (utils, types).

import { existsSync, globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, relative, resolve, sep } from "node:path";
import { importsOf } from "./lint/imports.ts";

const scope = "@kv/";
/** The packages that are adapters, without their scope. */
export const adapters: readonly string[] = [
  "memory",
  "sqlite",
  "leveldb",
  "redis",
  "arangodb",
  "hybrid",
  "tiered",
];

/** Which @kv packages the sources of a package may import. Tests may import any that their package.json declares. */
const mayImport: Record<string, readonly string[] | "any"> = {
  core: [],
  ...Object.fromEntries(adapters.map((adapter) => [adapter, ["core"]])),
  hybrid: ["core", "redis"],
  msgpack: ["core"],
  conformance: ["core"],
  config: "any",
  bench: "any",
  tour: "any",
  "integration-tests": "any",
  "arangodb-emulator": [],
};

/** Imports allowed in one file only: a separate entry, for users who have installed both packages. */
const onlyIn: Record<string, string> = { "hybrid → redis": join("src", "redis.ts") };

/** Programs of this repository, which no package may import. */
const programs = ["bench", "tour", "integration-tests"];

const refusedNames = ["utils.ts", "types.ts"];

interface Manifest {
  name: string;
  private?: boolean;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

interface Package {
  /** The name without its scope: `core`. */
  name: string;
  folder: string;
  manifest: Manifest;
}

/** Every violation below `root`, one line each; none when the tree is in order. */
export function lintDependencies(root: string): string[] {
  return globSync(["packages/*/package.json", "integration-tests/**/package.json"], {
    cwd: root,
    exclude: (name) => name === "node_modules",
  })
    .sort()
    .map((path) => readPackage(root, path))
    .flatMap((owner) => [...lintManifest(root, owner), ...lintSources(root, owner)]);
}

function readPackage(root: string, path: string): Package {
  const manifest: Manifest = JSON.parse(readFileSync(join(root, path), "utf8"));
  return { name: manifest.name.replace(scope, ""), folder: join(root, path, ".."), manifest };
}

function lintManifest(root: string, owner: Package): string[] {
  const path = relative(root, join(owner.folder, "package.json"));
  if (!Object.hasOwn(mayImport, owner.name)) {
    return [
      `${path}: ${scope}${owner.name} has no rule. Add the packages that it may import to scripts/lint-dependencies.ts.`,
    ];
  }
  const { dependencies, peerDependencies, optionalDependencies } = owner.manifest;
  const twice =
    !owner.manifest.private && dependencies?.[`${scope}core`] !== undefined
      ? [`${path}: ${scope}core must be a peer dependency, or a program may get several copies of it`]
      : [];
  const refused = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })
    .map((name) => ({ name, reason: refusal(owner, name) }))
    .filter(({ reason }) => reason !== undefined)
    .map(({ name, reason }) => `${path}: depends on ${name}: ${reason}`);
  return [...twice, ...refused];
}

function lintSources(root: string, owner: Package): string[] {
  const problems: string[] = [];
  const files = globSync("**/*.{ts,mts,tsx,js,mjs}", {
    cwd: owner.folder,
    // A nested package is linted on its own.
    exclude: (name) =>
      name === "node_modules" || name === "dist" || existsSync(join(owner.folder, name, "package.json")),
  });
  for (const file of files.sort()) {
    const path = relative(root, join(owner.folder, file));
    const isSource = file.startsWith(`src${sep}`);
    const fileName = file.slice(file.lastIndexOf(sep) + 1);
    if (isSource && refusedNames.includes(fileName)) {
      problems.push(`${path}: a file is named after the one idea in it, not "${fileName}"`);
    }
    if (isSource && fileName.includes(".test.")) {
      problems.push(`${path}: tests live in test/, or they would be published`);
    }
    for (const { text: specifier, line } of importsOf(join(owner.folder, file))) {
      const reason = lintImport(owner, file, specifier, isSource);
      if (reason) problems.push(`${path}:${line}: imports "${specifier}": ${reason}`);
    }
  }
  return problems;
}

function lintImport(owner: Package, file: string, specifier: string, isSource: boolean): string | undefined {
  if (specifier.startsWith(".")) {
    const inside = resolve(owner.folder, file, "..", specifier).startsWith(owner.folder + sep);
    return inside
      ? undefined
      : "a relative import may not leave its package; import the other package by name";
  }
  if (specifier.startsWith("node:")) return undefined;
  if (builtinModules.includes(specifier)) return `write "node:${specifier}"`;
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (name === owner.manifest.name) {
    return isSource ? "a package imports its own files by their relative path" : undefined;
  }
  const refused = isSource ? refusal(owner, name) : undefined;
  if (refused) return refused;
  const only = onlyIn[`${owner.name} → ${name.replace(scope, "")}`];
  if (isSource && only !== undefined && file !== only) return `only ${only} may import ${name}`;
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = owner.manifest;
  const atRunTime = { ...dependencies, ...peerDependencies, ...optionalDependencies };
  if (Object.hasOwn(atRunTime, name)) return undefined;
  if (!Object.hasOwn({ ...devDependencies }, name))
    return `${name} is not declared in ${owner.manifest.name}'s package.json`;
  if (!isSource || owner.manifest.private) return undefined;
  return `${name} is only a devDependency, so it is missing where ${owner.manifest.name} is installed`;
}

/** Why the sources of `owner` may not import the package `name`; `undefined` if they may. */
function refusal(owner: Package, name: string): string | undefined {
  if (!name.startsWith(scope)) return undefined;
  const target = name.slice(scope.length);
  const allowed = mayImport[owner.name] ?? [];
  if (programs.includes(target)) return `${name} is a program of this repository, which no package imports`;
  if (allowed === "any" || allowed.includes(target)) return undefined;
  if (owner.name === "core") return "@kv/core imports no other @kv package";
  const who = adapters.includes(owner.name) ? "an adapter" : owner.manifest.name;
  return `${who} may import ${allowed.map((other) => scope + other).join(", ")} only`;
}

if (import.meta.main) {
  const problems = lintDependencies(resolve(import.meta.dirname, ".."));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
