import { existsSync, globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A package that names another one in its manifest. */
export interface Dependency {
  readonly from: string;
  readonly type: string;
  readonly to: string;
}

const TYPES = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] as const;

type Manifest = { readonly name?: string } & {
  readonly [Type in (typeof TYPES)[number]]?: Record<string, string>;
};

/** What the packages that are installed in this repository depend on, by the manifests they came with: at most so many. */
export function dependencyGraph(most: number): readonly Dependency[] {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const manifests = globSync("node_modules/.pnpm/*/node_modules/{*,@*/*}/package.json", { cwd: root });
  const graph = new Map<string, Dependency>();
  for (const path of manifests.sort()) {
    // Of links to packages that are not installed here.
    if (!existsSync(`${root}/${path}`)) continue;
    const manifest = JSON.parse(readFileSync(`${root}/${path}`, "utf8")) as Manifest;
    const { name: from } = manifest;
    if (from === undefined) continue;
    for (const type of TYPES) {
      for (const to of Object.keys(manifest[type] ?? {}))
        graph.set(`${from} ${type} ${to}`, { from, type, to });
    }
  }
  return [...graph.values()].slice(0, most);
}
