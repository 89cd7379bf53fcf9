// Refuses what the host's globals get wrong in published packages: `instanceof` on a built-in class, whose instances of
// another realm it does not recognise, and the host's timers and clocks, which a user's test may have faked.

import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { type Found, findIn } from "./lint/syntax.ts";
import { adapters } from "./lint-dependencies.ts";

/** Built-in classes, of which every realm has its own, and the checks that recognise instances of any realm. */
const ANY_REALM: Readonly<Record<string, string>> = {
  AbortSignal: "a check by its methods, as core/src/contract/any-realm.ts has",
  Date: "a check by its internal slot, as core/src/contract/any-realm.ts has",
  Error: "isError of @kv/core",
  Promise: "isPromise of @kv/core",
  Uint8Array: "isBytes of @kv/core",
};

/** The host's timers and clocks, which a test may replace, and the functions that always use real time. */
const REAL_TIME: Readonly<Record<string, string>> = {
  setTimeout: "timer or delay",
  setInterval: "backgroundInterval",
  setImmediate: "nextTurn or turn",
  queueMicrotask: "a promise",
  nextTick: "endOfTick",
  "performance.now": "monotonicNow",
};

/** Every violation below `root`, one line each; none when the tree is in order. */
export function lintGlobals(root: string): string[] {
  return globSync("packages/*/package.json", { cwd: root })
    .sort()
    .flatMap((path) => lintPackage(root, join(root, path)));
}

function lintPackage(root: string, manifestPath: string): string[] {
  const manifest: { name: string; private?: boolean } = JSON.parse(readFileSync(manifestPath, "utf8"));
  const name = manifest.name.replace("@kv/", "");
  const folder = dirname(manifestPath);
  // The suite runs in the realm of the store whose answers it checks.
  const anyRealm = !manifest.private && name !== "conformance";
  const realTime = name === "core" || adapters.includes(name);
  return globSync("src/**/*.{ts,mts,tsx,js,mjs}", { cwd: folder })
    .sort()
    .flatMap((file) => {
      const path = join(folder, file);
      const at = ({ line }: Found): string => `${relative(root, path)}:${line}`;
      return [
        ...(realTime ? hostTime(path) : []).map(
          (one) =>
            `${at(one)}: ${one.text} may be faked by a test, and a store would then hang: use ${REAL_TIME[one.text]} of @kv/core`,
        ),
        ...(anyRealm ? realmChecks(path) : []).map(
          (one) =>
            `${at(one)}: checks for an instance of ${one.text}, which fails for objects of another realm: use ${ANY_REALM[one.text]}`,
        ),
      ];
    });
}

/** Where a file uses `instanceof` with such a class. The file that recognises their instances may. */
function realmChecks(path: string): Found[] {
  if (path.endsWith("any-realm.ts")) return [];
  return findIn(path, ({ type, operator, right }) =>
    type === "BinaryExpression" && operator === "instanceof" ? among(ANY_REALM, right?.name) : undefined,
  );
}

/** Where a file uses the host's own timers and clocks. The file that keeps the real ones, taken when it loads, may. */
function hostTime(path: string): Found[] {
  if (path.endsWith("real-time.ts")) return [];
  return findIn(path, ({ type, object, property, callee, imported }) => {
    if (type === "MemberExpression") {
      const name = property?.name;
      return among(REAL_TIME, object?.name === "performance" ? `performance.${name}` : name);
    }
    if (type === "CallExpression") return among(REAL_TIME, callee?.name);
    return type === "ImportSpecifier" ? among(REAL_TIME, imported?.name) : undefined;
  });
}

function among(replacements: Readonly<Record<string, string>>, name: string | undefined): string | undefined {
  return name !== undefined && Object.hasOwn(replacements, name) ? name : undefined;
}

if (import.meta.main) {
  const problems = lintGlobals(resolve(import.meta.dirname, ".."));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
