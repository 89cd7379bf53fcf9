// Bundles the modules of each package whose exports name `dist/bundle/index.js` into one file. Node reads, resolves and
// links every module separately, which takes 40 ms for the hundred small files of core and an adapter, against 5 ms for
// opening a database. Declarations and sources stay one file per idea.
//
// A package with several entries (`.`, `./redis`) gets a file for each, and files for the modules that they share.
//
// `node scripts/bundle.ts` bundles all packages; run in a package's folder, only that package.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Plugin, rolldown } from "rolldown";

const BUNDLE = "./dist/bundle/";
const root = fileURLToPath(new URL("..", import.meta.url));

interface Manifest {
  readonly exports?: Readonly<Record<string, string | { readonly default?: string }>>;
}

/** The names of the modules that a package's exports take from its bundle: `index`, `redis`. */
function entriesOf(folder: string): string[] {
  const path = join(folder, "package.json");
  if (!existsSync(path)) return [];
  const { exports = {} } = JSON.parse(readFileSync(path, "utf8")) as Manifest;
  return Object.values(exports)
    .map((target) => (typeof target === "string" ? target : (target.default ?? "")))
    .filter((file) => file.startsWith(BUNDLE))
    .map((file) => basename(file, ".js"));
}

function isBundled(folder: string): boolean {
  return entriesOf(folder).includes("index");
}

/** Loads each module with the compiler's source map, so that the bundle's map leads to the published TypeScript. */
const withSourceMaps: Plugin = {
  name: "with-source-maps",
  load(id) {
    const map = `${id}.map`;
    if (!existsSync(map)) return null;
    return { code: readFileSync(id, "utf8"), map: readFileSync(map, "utf8") };
  },
};

async function bundle(folder: string): Promise<void> {
  const build = await rolldown({
    input: Object.fromEntries(entriesOf(folder).map((name) => [name, join(folder, `dist/${name}.js`)])),
    // Node resolves dependencies and its own modules by name; everything else is bundled.
    external: (id) => !id.startsWith(".") && !id.startsWith("/"),
    plugins: [withSourceMaps],
    platform: "neutral",
    treeshake: false,
  });
  // No hash in the names of shared parts, or the parts of earlier builds would pile up and be published.
  const chunkFileNames = "shared/[name].js";
  await build.write({ dir: join(folder, BUNDLE), format: "esm", sourcemap: true, chunkFileNames });
  await build.close();
}

const here = resolve(process.cwd());
const packages = join(root, "packages");
const folders = isBundled(here) ? [here] : readdirSync(packages).map((name) => join(packages, name));
await Promise.all(folders.filter(isBundled).map(bundle));
