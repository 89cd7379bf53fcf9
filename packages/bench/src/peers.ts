import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

// The peers are heavy, and need other versions than we and than one another (Keyv 5 and 6, ioredis 5 and 6). So they have
// a tree and a lockfile of their own, installed only by a run of the benchmarks.
const folder = new URL("../peers/", import.meta.url);
const stamp = new URL("node_modules/.kv-installed", folder);

/** Installs the peers unless they are installed. Returns the reason if that was not possible. */
export function installPeers(): string | undefined {
  const lockfile = readFileSync(new URL("package-lock.json", folder));
  const wanted = createHash("sha256")
    .update(`${process.platform} ${process.arch}`)
    .update(lockfile)
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return undefined;
  const { dependencies } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
  const list = Object.entries(dependencies as Record<string, string>).map(
    ([name, version]) => `${name}@${version}`,
  );
  console.error(`Installing what to compare with into packages/bench/peers (once): ${list.join(", ")}`);
  // Every native module among them brings its binary along, so no install script has to run.
  const { status, error } = spawnSync(
    "npm",
    ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      cwd: fileURLToPath(folder),
      stdio: ["ignore", "ignore", "inherit"],
      shell: process.platform === "win32",
    },
  );
  if (status === 0) {
    writeFileSync(stamp, wanted);
    return undefined;
  }
  return error?.message ?? `npm ci ended with code ${status}`;
}

/** Imports from the peers' own tree. */
export async function loadPeer<Module>(specifier: string): Promise<Module> {
  const { load }: { load(specifier: string): Promise<Module> } = await import(
    new URL("load.js", folder).href
  );
  return load(specifier);
}

/** The version installed for the peers; `undefined`: not installed. */
export function peerVersion(name: string): string | undefined {
  return versionIn(new URL("node_modules/", folder), name);
}

/** The version of one of our own dependencies. */
export function ownVersion(name: string): string | undefined {
  return versionIn(new URL("../node_modules/", import.meta.url), name);
}

function versionIn(tree: URL, name: string): string | undefined {
  const manifest = new URL(`${name}/package.json`, tree);
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : undefined;
}
