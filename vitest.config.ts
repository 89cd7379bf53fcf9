import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Every folder that may hold tests is a project named after it; `vitest run --project core` runs one. */
const folders = [
  ...readdirSync(new URL("packages", import.meta.url)).map((name) => `packages/${name}`),
  "integration-tests",
  "integration-tests/arangodb-emulator",
  "integration-tests/vm-realm",
  "scripts",
].filter((folder) => existsSync(new URL(`${folder}/test`, import.meta.url)));

/** Tests run on the sources of every workspace package: nothing has to be built first. */
const conditions = ["@kv/source", "module", "node", "import", "default"];

/** The long ones first: one that begins when all others have ended keeps a single core busy. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ project }: TestSpecification): boolean => project.name === "integration-tests";
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects: folders.map((folder) => ({
      extends: true,
      test: {
        name: folder.slice(folder.lastIndexOf("/") + 1),
        root: fileURLToPath(new URL(folder, import.meta.url)),
        include: ["test/**/*.test.ts"],
        // Half a second a file: the tests of packages share processes, those that kill, spawn and change the environment don't.
        // Core's measure the heap, in which other files leave what a test of retention would take for its own.
        isolate: folder === "integration-tests" || folder === "packages/core",
        // A realm of its own, as users' runners have it: its classes are not those of Node's modules and of drivers.
        ...(folder.endsWith("/vm-realm") ? { pool: "vmThreads" } : {}),
      },
    })),
    sequence: { sequencer: LongFirst },
    // Servers that test files ask for, started once for all of them: see integration-tests/services.
    globalSetup: fileURLToPath(new URL("integration-tests/services/global-setup.ts", import.meta.url)),
    // Processes: native drivers are loaded, and what ends one takes no other with it.
    pool: "forks",
    // Tests wait as much as they compute.
    maxWorkers: availableParallelism() + 1,
    // Long enough for a machine that is busy with something else: what hangs is found all the same.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    // The children that tests start (`process.execPath`) read the sources, too. What stores warn of in tests is meant to
    // happen: tests that care listen for the event, which this only keeps from being printed.
    env: {
      NODE_OPTIONS: "--conditions=@kv/source --disable-warning=KvWarning",
      // Some forty suites try the same properties, each with other values.
      ...(process.env["KV_TEST_FULL"] === "1"
        ? {}
        : { KV_TEST_THOROUGHNESS: process.env["KV_TEST_THOROUGHNESS"] ?? "0.5" }),
    },
  },
});
