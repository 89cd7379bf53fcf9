// `pnpm check:packages`: packs every public package as `pnpm publish` would, and checks the result: publint, attw (are the
// types wrong?), and whether links, source maps and the manifest lead somewhere.

import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { problemsOf } from "./packed-package.ts";

const root = join(import.meta.dirname, "..");
const target = mkdtempSync(join(tmpdir(), "kv-pack-"));
let failures = 0;

function report(name: string, problem: string | undefined): boolean {
  console.log(`${problem === undefined ? "✓" : "✗"} ${name}`);
  if (problem === undefined) return true;
  failures++;
  console.log(problem);
  return false;
}

function run(name: string, command: string, args: string[], cwd = root): boolean {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  return report(name, status === 0 ? undefined : (error?.message ?? stdout + stderr));
}

const bin = (name: string): string => join(root, "node_modules/.bin", name);

try {
  for (const path of globSync("packages/*/package.json", { cwd: root }).sort()) {
    const { name, private: isPrivate } = JSON.parse(readFileSync(join(root, path), "utf8"));
    if (isPrivate) continue;
    const file = name.replace("@", "").replace("/", "-");
    const tarball = join(target, `${file}.tgz`);
    if (!run(`${name} packs`, "pnpm", ["pack", "--out", tarball], join(root, path, ".."))) continue;
    run(`${name} publint`, bin("publint"), ["--strict", tarball]);
    run(`${name} attw`, bin("attw"), [tarball, "--profile", "esm-only", "--no-emoji", "--no-color"]);
    const unpacked = join(target, file);
    mkdirSync(unpacked);
    if (!run(`${name} unpacks`, "tar", ["-xzf", tarball, "-C", unpacked, "--strip-components=1"])) continue;
    const problems = problemsOf(unpacked, root);
    report(`${name} leads somewhere`, problems.length === 0 ? undefined : problems.join("\n"));
  }
} finally {
  rmSync(target, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;
