import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A package.json: the fields that the tour reads, and any others. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The package.json of every installed package, each version once, sorted by name and version. */
export function installedManifests(nodeModules: string): Manifest[] {
  const found = new Map<string, Manifest>();
  for (const folder of packageFolders(nodeModules)) {
    const manifest = manifestIn(folder);
    if (manifest !== undefined) found.set(`${manifest.name}@${manifest.version}`, manifest);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, manifest]) => manifest);
}

/**
 * Every folder that holds a package: directly, under a scope, in pnpm's `.pnpm`, and nested in other packages. Links are
 * not followed, because their targets are found as folders, too.
 */
function* packageFolders(nodeModules: string): Generator<string> {
  for (const name of foldersIn(nodeModules)) {
    const folder = join(nodeModules, name);
    if (name === ".pnpm") {
      for (const inner of foldersIn(folder)) yield* packageFolders(join(folder, inner, "node_modules"));
    } else if (name.startsWith("@")) {
      yield* packageFolders(folder);
    } else if (!name.startsWith(".")) {
      yield folder;
      yield* packageFolders(join(folder, "node_modules"));
    }
  }
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function manifestIn(folder: string): Manifest | undefined {
  const path = join(folder, "package.json");
  if (!existsSync(path)) return undefined;
  const manifest: Partial<Manifest> = JSON.parse(readFileSync(path, "utf8"));
  return manifest.name !== undefined && manifest.version !== undefined ? (manifest as Manifest) : undefined;
}
