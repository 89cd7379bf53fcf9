import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryProject } from "./temporary-project.ts";

export interface Failure {
  readonly code: string;
  readonly retryable: boolean;
  readonly message: string;
}

const MAIN = `
import { openStore } from "./config/index.ts";
const [target, from] = JSON.parse(process.argv[2]);
const error = await openStore(target, from === null ? {} : { from }).then(() => ({}), (reason) => reason);
console.log(JSON.stringify({ code: error.code, retryable: error.retryable, message: error.message }));
`;

/** What a project gets that has this package and no adapter: here they are all installed. */
export function failureWithoutAdapters(
  target: string | object,
  from: string,
  env: Record<string, string> = {},
): Failure {
  const folder = temporaryProject();
  const root = fileURLToPath(new URL("..", import.meta.url));
  cpSync(join(root, "src"), join(folder, "config"), { recursive: true });
  mkdirSync(join(folder, "node_modules/@kv"), { recursive: true });
  symlinkSync(join(root, "../core"), join(folder, "node_modules/@kv/core"));
  writeFileSync(join(folder, "main.ts"), MAIN);
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@kv/source", join(folder, "main.ts"), JSON.stringify([target, from])],
    // Package managers let everything be found that they have installed, by NODE_PATH.
    { encoding: "utf8", cwd: folder, env: { ...process.env, NODE_PATH: "", ...env } },
  );
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Failure;
}
