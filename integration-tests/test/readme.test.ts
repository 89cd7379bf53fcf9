import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const readmes = [
  "README.md",
  ...readdirSync(join(repository, "packages")).flatMap((name) => [
    `packages/${name}/README.md`,
    `packages/${name}/docs/middleware.md`,
    `packages/${name}/docs/http.md`,
  ]),
].filter((path) => existsSync(join(repository, path)));

interface Example {
  readonly name: string;
  readonly file: string;
  readonly code: string;
}

/** The TypeScript of a page, each block for itself. A block that is only a part is marked ```ts part. */
function examplesIn(path: string): Example[] {
  const text = readFileSync(join(repository, path), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match, i) => ({
    name: `${path}, example ${i + 1} (line ${text.slice(0, match.index).split("\n").length})`,
    file: `${path.replaceAll(/[/.]/g, "-")}-${i + 1}.ts`,
    code: match[1] ?? "",
  }));
}

const examples = readmes.flatMap(examplesIn);
const execute = promisify(execFile);
/** Within this package, so that the examples find the packages that a user would have installed. */
const directory = fileURLToPath(new URL("../examples.generated", import.meta.url));

beforeAll(() => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  for (const { file, code } of examples) writeFileSync(join(directory, file), `${code}\nexport {};\n`);
  const compilerOptions = {
    ...{ module: "nodenext", target: "es2024", lib: ["es2024", "esnext.disposable", "dom"], types: ["node"] },
    ...{
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      erasableSyntaxOnly: true,
      allowImportingTsExtensions: true,
    },
    customConditions: ["@kv/source"],
  };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("the examples of the READMEs", () => {
  it("are there", () => {
    expect(examples.length).toBeGreaterThan(4);
  });

  it("compile", async () => {
    const tsc = join(repository, "node_modules/typescript/bin/tsc");
    expect(await outputOf([tsc, "-p", directory])).toBe("");
  });

  // A few at a time, each in a folder of its own, where its files are in no other example's way.
  it.concurrent.each(examples)("run: $name", async ({ file }) => {
    const cwd = join(directory, basename(file, ".ts"));
    mkdirSync(cwd);
    const args = ["--disable-warning=ExperimentalWarning", join(directory, file)];
    expect(await outputOf(args, { cwd, timeout: 30_000 })).not.toContain("Error");
  });
});

/** What a Node process printed; `Error: …` with all of its output if it failed. */
async function outputOf(args: string[], options: { cwd?: string; timeout?: number } = {}): Promise<string> {
  try {
    const { stdout } = await execute(process.execPath, args, { ...options, encoding: "utf8" });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return `Error: ${stdout ?? ""}${stderr ?? String(error)}`;
  }
}
