import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
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

  it("compile", () => {
    const tsc = join(repository, "node_modules/typescript/bin/tsc");
    const output = attempt(() =>
      execFileSync(process.execPath, [tsc, "-p", directory], { encoding: "utf8" }),
    );
    expect(output).toBe("");
  });

  it.each(examples)("run: $name", ({ file }) => {
    const output = attempt(() =>
      execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", join(directory, file)], {
        cwd: directory,
        encoding: "utf8",
        timeout: 15_000,
      }),
    );
    expect(output).not.toContain("Error");
  });
});

/** What a command printed, or what it said before it failed. */
function attempt(run: () => string): string {
  try {
    return run();
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return `Error: ${stdout ?? ""}${stderr ?? String(error)}`;
  }
}
