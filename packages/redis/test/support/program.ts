import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Programs load the sources of core and this package, and start much faster once these have been compiled. */
const COMPILED = fileURLToPath(new URL("../../../../.cache/compiled", import.meta.url));

export interface Ended {
  /** The exit code; `null` if the program had to be killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a module as if it were in this directory, in a separate process, for at most `limit` milliseconds. */
export async function runProgram(text: string, limit = 20_000): Promise<Ended> {
  const child = spawn(process.execPath, ["--input-type=module", "-"], {
    cwd: fileURLToPath(new URL("./", import.meta.url)),
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), limit);
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.end(text);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  return { code, stdout, stderr };
}
