// Keeps the arrows of ARCHITECTURE.md pointing inward: who may import whom, that every import is declared, and that no
// file is named after a drawer (`utils.ts`, `types.ts`).

import { existsSync, globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, relative, resolve, sep } from "node:path";
import { parseSync } from "oxc-parser";

const scope = "@kv/";
const adapters = ["memory", "sqlite", "leveldb", "redis", "arangodb", "hybrid", "tiered"];

/** Which @kv packages the sources of a package may import. Tests may import any that their package.json declares. */
const mayImport: Record<string, readonly string[] | "any"> = {
  core: [],
  ...Object.fromEntries(adapters.map((adapter) => [adapter, ["core"]])),
  hybrid: ["core", "redis"],
  msgpack: ["core"],
  conformance: ["core"],
  patterns: ["core"],
  config: "any",
  cli: "any",
  bench: "any",
  tour: "any",
  "integration-tests": "any",
  "arangodb-emulator": [],
};

/** Imports that one file of a package may have: an entry of its own, for those who have installed both. */
const onlyIn: Record<string, string> = { "hybrid → redis": join("src", "redis.ts") };

/** Programs of this repository. They import; nobody imports them. */
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
      `${path}: ${scope}${owner.name} has no rule. Say in scripts/lint-dependencies.ts what it may import.`,
    ];
  }
  const { dependencies, peerDependencies, optionalDependencies } = owner.manifest;
  const twice =
    !owner.manifest.private && dependencies?.[`${scope}core`] !== undefined
      ? [
          `${path}: ${scope}core must be a peer dependency, or a program may get a copy for each version asked for`,
        ]
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
    // What lies in a package of its own is linted as that.
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
    if (isSource && (owner.name === "core" || adapters.includes(owner.name))) {
      for (const { name, line } of hostTime(join(owner.folder, file))) {
        problems.push(
          `${path}:${line}: ${name} may be a test's fake, and a store would hang: use ${REAL_TIME[name]} of @kv/core`,
        );
      }
    }
    // The suite asks of what a store gave back, which is of the realm it runs in.
    if (isSource && !owner.manifest.private && owner.name !== "conformance") {
      for (const { name, line } of foreignChecks(join(owner.folder, file))) {
        problems.push(
          `${path}:${line}: asks whether something is an instance of ${name}, which those of another realm are not: use ${ANY_REALM[name]}`,
        );
      }
    }
    for (const { specifier, line } of importsOf(join(owner.folder, file))) {
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
  return `${name} is only a devDependency, so whoever installs ${owner.manifest.name} would not have it`;
}

/** Why the sources of `owner` may not import the package `name`; `undefined` where they may. */
function refusal(owner: Package, name: string): string | undefined {
  if (!name.startsWith(scope)) return undefined;
  const target = name.slice(scope.length);
  const allowed = mayImport[owner.name] ?? [];
  if (programs.includes(target)) return `${name} is a program of this repository, nothing imports it`;
  if (allowed === "any" || allowed.includes(target)) return undefined;
  if (owner.name === "core") return "@kv/core imports no other @kv package";
  const who = adapters.includes(owner.name) ? "an adapter" : owner.manifest.name;
  return `${who} may import ${allowed.map((other) => scope + other).join(", ")} only`;
}

interface Node {
  type: string;
  start: number;
  source?: Node | null;
  argument?: Node;
  expression?: Node;
  callee?: Node;
  arguments?: Node[];
  name?: string;
  value?: unknown;
}

/** Built-in classes that every realm has its own of, and what recognises their instances all the same. */
const ANY_REALM: Readonly<Record<string, string>> = {
  AbortSignal: "a check by its methods, as core/src/contract/any-realm.ts has",
  Date: "a check by its internal slot, as core/src/contract/any-realm.ts has",
  Error: "isError of @kv/core",
  Promise: "isPromise of @kv/core",
  Uint8Array: "isBytes of @kv/core",
};

/** Where a file uses `instanceof` with such a class. The file that recognises them may. */
function foreignChecks(path: string): { name: string; line: number }[] {
  if (path.endsWith("any-realm.ts")) return [];
  const code = readFileSync(path, "utf8");
  const found: { name: string; line: number }[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) {
      value.forEach(visit);
      return;
    }
    const node = value as Node & { operator?: string; right?: Node };
    const name =
      node.type === "BinaryExpression" && node.operator === "instanceof" ? node.right?.name : undefined;
    if (name !== undefined && Object.hasOwn(ANY_REALM, name))
      found.push({ name, line: code.slice(0, node.start).split("\n").length });
    Object.values(node).forEach(visit);
  };
  visit(parseSync(path, code).program);
  return found;
}

/** The host's timers and clocks, of which a test may put fakes in the place, and what takes real time all the same. */
const REAL_TIME: Readonly<Record<string, string>> = {
  setTimeout: "timer or delay",
  setInterval: "backgroundInterval",
  setImmediate: "nextTurn or turn",
  queueMicrotask: "a promise",
  nextTick: "endOfTick",
  "performance.now": "monotonicNow",
};

/** Where a file uses the host's own. The file that takes them when it is loaded may. */
function hostTime(path: string): { name: string; line: number }[] {
  if (path.endsWith("real-time.ts")) return [];
  const code = readFileSync(path, "utf8");
  const found: { name: string; line: number }[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) {
      value.forEach(visit);
      return;
    }
    const node = value as Node & { object?: Node; property?: Node; imported?: Node };
    const name =
      node.type === "MemberExpression" && node.object?.name === "performance"
        ? `performance.${node.property?.name}`
        : node.type === "MemberExpression"
          ? node.property?.name
          : node.type === "CallExpression"
            ? node.callee?.name
            : node.type === "ImportSpecifier"
              ? node.imported?.name
              : undefined;
    if (name !== undefined && Object.hasOwn(REAL_TIME, name))
      found.push({ name, line: code.slice(0, node.start).split("\n").length });
    Object.values(node).forEach(visit);
  };
  visit(parseSync(path, code).program);
  return found;
}

/** Every module that a file names: imports, re-exports, `import()`, `import("…").Type`, `require`. */
function importsOf(path: string): { specifier: string; line: number }[] {
  const code = readFileSync(path, "utf8");
  const found: { specifier: string; line: number }[] = [];
  const add = (node: Node | null | undefined): void => {
    if (node?.type !== "Literal" || typeof node.value !== "string") return;
    found.push({ specifier: node.value, line: code.slice(0, node.start).split("\n").length });
  };
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) {
      value.forEach(visit);
      return;
    }
    const node = value as Node;
    if (/^(Import|Export|TSImport)/.test(node.type)) add(node.source ?? node.argument);
    if (node.type === "TSExternalModuleReference") add(node.expression);
    if (node.type === "CallExpression" && node.callee?.name === "require") add(node.arguments?.[0]);
    Object.values(node).forEach(visit);
  };
  visit(parseSync(path, code).program);
  return found;
}

if (import.meta.main) {
  const problems = lintDependencies(resolve(import.meta.dirname, ".."));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
