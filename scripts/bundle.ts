// Makes one file of each package's modules, for those whose exports name `dist/bundle/index.js`. Node reads, resolves and
// links every module for itself, which for the hundred small files of a core and an adapter takes longer than opening
// a database: 40 ms against 5. Declarations and the sources' one-idea files stay as they are.
//
// `node scripts/bundle.ts` bundles all; within a package's folder, that package.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const ENTRY = "./dist/bundle/index.js";
const root = fileURLToPath(new URL("..", import.meta.url));

interface Manifest {
  readonly exports?: { readonly "."?: { readonly default?: string } };
}

function isBundled(folder: string): boolean {
  const path = join(folder, "package.json");
  if (!existsSync(path)) return false;
  const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
  return manifest.exports?.["."]?.default === ENTRY;
}

async function bundle(folder: string): Promise<void> {
  const build = await rolldown({
    input: join(folder, "dist/index.js"),
    // Whatever is not ours to bundle is what Node resolves by name: dependencies and Node's own modules.
    external: (id) => !id.startsWith(".") && !id.startsWith("/"),
    platform: "neutral",
    treeshake: false,
  });
  await build.write({ file: join(folder, ENTRY), format: "esm", sourcemap: true });
  await build.close();
}

const here = resolve(process.cwd());
const packages = join(root, "packages");
const folders = isBundled(here) ? [here] : readdirSync(packages).map((name) => join(packages, name));
await Promise.all(folders.filter(isBundled).map(bundle));
