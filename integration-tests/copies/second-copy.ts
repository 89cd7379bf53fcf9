import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const packages = fileURLToPath(new URL("../../packages", import.meta.url));

/**
 * The sources of some packages in another place, which import each other there: what a package manager installs beside
 * the first copy where two versions are asked for.
 */
export class SecondCopy {
  readonly #root: string = mkdtempSync(join(tmpdir(), "kv-second-copy-"));

  constructor(names: readonly string[]) {
    for (const name of names) this.#copy(name, names);
  }

  /** The package as the second copy has it. */
  load<T>(name: string): Promise<T> {
    return import(
      /* @vite-ignore */ pathToFileURL(join(this.#root, name, "src/index.ts")).href
    ) as Promise<T>;
  }

  dispose(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #copy(name: string, all: readonly string[]): void {
    const from = join(packages, name);
    const to = join(this.#root, name);
    cpSync(join(from, "src"), join(to, "src"), { recursive: true });
    const manifest = JSON.parse(readFileSync(join(from, "package.json"), "utf8"));
    writeFileSync(
      join(to, "package.json"),
      JSON.stringify({ name: manifest.name, type: "module", exports: "./src/index.ts" }),
    );
    this.#link(from, to, all);
  }

  /** Drivers are those of the workspace; packages of this repository are those of the copy. */
  #link(from: string, to: string, all: readonly string[]): void {
    const modules = join(from, "node_modules");
    mkdirSync(join(to, "node_modules/@kv"), { recursive: true });
    for (const name of all) symlinkSync(join(this.#root, name), join(to, "node_modules/@kv", name));
    if (!existsSync(modules)) return;
    for (const name of readdirSync(modules)) {
      if (name.startsWith(".") || name === "@kv") continue;
      symlinkSync(join(modules, name), join(to, "node_modules", name));
    }
  }
}
