// `npm test`: build, lint and typecheck, then one vitest run over every package. The last line is always the counts.
// Arguments go to vitest: `npm test -- memory`, `npm test -- -t "time to live"`.

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { formatSummary, type TestSummary } from "./test-summary.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const summaryFile = `${root}.cache/test-summary.json`;
const vitestArgs = process.argv.slice(2);
const failedChecks: string[] = [];

await check("build", "node_modules/typescript/bin/tsc", "-b");
await check("bundle", "scripts/bundle.ts");
await Promise.all([
  check("typecheck of the tests", "node_modules/typescript/bin/tsc", "-b", "tsconfig.test.json"),
  check("biome", "node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings"),
  check("dependency directions", "scripts/lint-dependencies.ts"),
  check("globals", "scripts/lint-globals.ts"),
  check("structure", "scripts/lint-structure.ts"),
]);

const summary = await runTests();
summary.failed.unshift(...failedChecks);
console.log(`\n${formatSummary(summary, vitestArgs.length > 0)}`);
process.exitCode = summary.failed.length > 0 ? 1 : 0;

/** Runs a check. If it fails, it counts as one failure, and the tests still run. */
async function check(name: string, ...command: string[]): Promise<void> {
  const started = performance.now();
  const { code, output } = await node(command, "collect");
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? "✓" : "✗"} ${name} (${seconds} s)`);
  if (code === 0) return;
  console.log(output);
  failedChecks.push(name);
}

async function runTests(): Promise<TestSummary> {
  mkdirSync(`${root}.cache`, { recursive: true });
  rmSync(summaryFile, { force: true });
  const reporters = ["--reporter=default", "--reporter=./scripts/summary-reporter.ts"];
  const { code } = await node(["node_modules/vitest/vitest.mjs", "run", ...reporters, ...vitestArgs], "show");
  const result = readSummary();
  if (!result) return { passed: 0, failed: ["vitest ended without a result"], skipped: [] };
  if (result.passed + result.failed.length === 0) result.failed.push("no test ran");
  else if (code !== 0 && result.failed.length === 0) result.failed.push(`vitest (exit code ${code})`);
  return result;
}

function readSummary(): TestSummary | undefined {
  try {
    return JSON.parse(readFileSync(summaryFile, "utf8"));
  } catch {
    return undefined;
  }
}

function node(args: string[], output: "collect" | "show"): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: {
        ...process.env,
        KV_TEST_SUMMARY: summaryFile,
        ...(process.stdout.isTTY ? {} : { NO_COLOR: "1" }),
      },
      stdio: ["ignore", output === "show" ? "inherit" : "pipe", output === "show" ? "inherit" : "pipe"],
    });
    let text = "";
    const collect = (chunk: Buffer): void => {
      text += chunk.toString();
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    child.on("error", (error) => resolve({ code: 1, output: error.message }));
    child.on("close", (code) => resolve({ code: code ?? 1, output: text }));
  });
}
