// `pnpm check:packages`: packs every public package as `pnpm publish` would and asks publint and attw (are the types
// wrong?) what those who install it will find.

import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const target = mkdtempSync(join(tmpdir(), "kv-pack-"));
let failures = 0;

function run(name: string, command: string, args: string[], cwd = root): boolean {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  const ok = status === 0;
  console.log(`${ok ? "✓" : "✗"} ${name}`);
  if (!ok) {
    failures++;
    console.log(error?.message ?? stdout + stderr);
  }
  return ok;
}

const bin = (name: string): string => join(root, "node_modules/.bin", name);

try {
  for (const path of globSync("packages/*/package.json", { cwd: root }).sort()) {
    const { name, private: isPrivate } = JSON.parse(readFileSync(join(root, path), "utf8"));
    if (isPrivate) continue;
    const tarball = join(target, `${name.replace("@", "").replace("/", "-")}.tgz`);
    if (!run(`${name} packs`, "pnpm", ["pack", "--out", tarball], join(root, path, ".."))) continue;
    run(`${name} publint`, bin("publint"), ["--strict", tarball]);
    run(`${name} attw`, bin("attw"), [tarball, "--profile", "esm-only", "--no-emoji", "--no-color"]);
  }
} finally {
  rmSync(target, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;
