import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestModule } from "vitest/node";
import type { TestSummary } from "./test-summary.ts";

/** Writes the run's `TestSummary` as JSON to the file that `KV_TEST_SUMMARY` names. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const file = process.env["KV_TEST_SUMMARY"];
    if (file) writeFileSync(file, JSON.stringify(summarize(modules, unhandledErrors)));
  }
}

function summarize(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): TestSummary {
  const summary: TestSummary = { passed: 0, failed: [], skipped: [] };
  for (const module of modules) {
    const prefix = `${module.project.name} › `;
    let failures = 0;
    for (const test of module.children.allTests()) {
      const result = test.result();
      const name = prefix + test.fullName.replaceAll(" > ", " › ");
      if (result.state === "passed") summary.passed++;
      else if (result.state === "skipped") {
        const reason = result.note ?? (test.options.mode === "todo" ? "to do" : undefined);
        summary.skipped.push({ name, reason });
      } else {
        // "pending" is a test that had no result when the run ended: its process died, or the run was interrupted.
        summary.failed.push(result.state === "pending" ? `${name} (never finished)` : name);
        failures++;
      }
    }
    for (const suite of module.children.allSuites()) {
      if (suite.errors().length > 0) {
        summary.failed.push(`${prefix}${suite.fullName.replaceAll(" > ", " › ")} (outside of its tests)`);
        failures++;
      }
    }
    // A file that could not be loaded has no tests, and is a failure itself.
    if (module.errors().length > 0 || (failures === 0 && module.state() === "failed")) {
      summary.failed.push(`${prefix}${module.relativeModuleId} (the file itself)`);
    }
  }
  for (const error of unhandledErrors) summary.failed.push(`unhandled error: ${error.message}`);
  return summary;
}
