import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const ADD = {
  npm: "npm install",
  pnpm: "pnpm add",
  yarn: "yarn add",
  bun: "bun add",
} as const;

type PackageManager = keyof typeof ADD;

const LOCKFILES: readonly (readonly [file: string, manager: PackageManager])[] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
];

/** The command that installs a package into the project around `directory`, with the package manager used there. */
export function installCommand(directory: string, packageName: string): string {
  return `${ADD[packageManager(directory)]} ${packageName}`;
}

/** From the nearest `packageManager` field or lockfile, else the one that started this process, else npm. */
function packageManager(directory: string): PackageManager {
  for (let folder = directory; ; folder = dirname(folder)) {
    const declared = declaredIn(join(folder, "package.json"));
    if (declared !== undefined) return declared;
    const lockfile = LOCKFILES.find(([file]) => existsSync(join(folder, file)));
    if (lockfile !== undefined) return lockfile[1];
    if (dirname(folder) === folder) break;
  }
  return known(process.env["npm_config_user_agent"]?.split("/", 1)[0]) ?? "npm";
}

function declaredIn(path: string): PackageManager | undefined {
  try {
    const manifest: { packageManager?: unknown } | null = JSON.parse(readFileSync(path, "utf8"));
    return known(String(manifest?.packageManager).split("@", 1)[0]);
  } catch {
    return undefined;
  }
}

function known(name: string | undefined): PackageManager | undefined {
  return name !== undefined && Object.hasOwn(ADD, name) ? (name as PackageManager) : undefined;
}
