import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Workers load the sources of a core and an adapter: compiled once they start in 70 ms instead of 300. */
const COMPILED = fileURLToPath(new URL("../../../.cache/compiled", import.meta.url));

/** A worker of `../../workers`, in a process of its own. */
export interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  /** The complete lines it has printed. */
  lines(): string[];
  /** Resolves to the first line the test accepts. Rejects if the child ends before. */
  line(accepts: (line: string) => boolean): Promise<string>;
  /** Resolves at its end, all output read. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

export function startChild(worker: string, ...args: string[]): Child {
  return started(process.execPath, commandLine(worker, args));
}

/** The same in a process with a limit on open files. */
export function startChildWith(descriptors: number, worker: string, ...args: string[]): Child {
  const script = `ulimit -n ${descriptors}; exec "$0" "$@"`;
  return started("sh", ["-c", script, process.execPath, ...commandLine(worker, args)]);
}

function commandLine(worker: string, args: readonly string[]): string[] {
  const script = fileURLToPath(new URL(`../../workers/${worker}.ts`, import.meta.url));
  return ["--disable-warning=ExperimentalWarning", script, ...args];
}

function started(command: string, args: readonly string[]): Child {
  const child = spawn(command, args, {
    stdio: "pipe",
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
  });
  let output = "";
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const wakers = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    for (const wake of wakers) wake();
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on("close", (code, signal) => {
      resolve({ code, signal });
      for (const wake of wakers) wake();
    });
  });
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const lines = (): string[] => output.split("\n").slice(0, -1);
  return {
    process: child,
    ended,
    lines,
    async line(accepts) {
      for (;;) {
        const found = lines().find(accepts);
        if (found !== undefined) return found;
        if (over)
          throw new Error(
            `${args.join(" ")} ended without the line waited for; it printed ${output}${errors}`,
          );
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            wakers.delete(wake);
            resolve();
          };
          wakers.add(wake);
        });
      }
    },
  };
}

/** A directory of its own, gone with the test. */
export function scratchDirectory(onTestFinished: (clean: () => void) => unknown): string {
  const directory = mkdtempSync(join(tmpdir(), "kv-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
