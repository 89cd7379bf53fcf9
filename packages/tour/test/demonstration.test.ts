import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { demonstrate } from "../src/demonstration.ts";
import { installedManifests } from "../src/manifests.ts";
import { MANIFESTS } from "./fixture-manifests.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "kv-tour-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function demonstrated(directory: string, terminal: { isTTY: boolean; columns?: number }) {
  const out = Object.assign(new PassThrough(), terminal);
  const printed = text(out);
  const same = await demonstrate({ manifests: MANIFESTS, directory, out });
  out.end();
  return { same, printed: await printed };
}

describe("the demonstration", () => {
  it("finds the same answers, and prints plain lines where there is no terminal", async () => {
    const directory = temporaryFolder();
    const { same, printed } = await demonstrated(directory, { isTTY: false });
    expect(same).toBe(true);
    expect(printed).toBe(stripVTControlCharacters(printed));
    expect(printed).toContain("same answer ✓  to all 11 questions");
    expect(printed).not.toContain("░");
    expect(existsSync(join(directory, "tour.db"))).toBe(true);
  });

  it("shows a bar and colours on a terminal, begins anew each time, and fits the width", async () => {
    const directory = temporaryFolder();
    writeFileSync(join(directory, "tour.db"), "what an earlier version left");
    const { same, printed } = await demonstrated(directory, { isTTY: true, columns: 300 });
    expect(same).toBe(true);
    expect(printed).toContain("░");
    const plain = stripVTControlCharacters(printed).split("\n");
    const lines = plain.filter((line) => !line.includes("░") && !line.includes(directory));
    expect(Math.max(...lines.map((line) => line.trimEnd().length))).toBe(120);
  });
});

describe("installed manifests", () => {
  it("are found in the layouts of pnpm and npm, each once, in order", () => {
    const root = temporaryFolder();
    const add = (path: string, manifest: object): void => {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), JSON.stringify(manifest));
    };
    add(".pnpm/b@2/node_modules/b/package.json", { name: "b", version: "2.0.0" });
    add(".pnpm/@s+a@1/node_modules/@s/a/package.json", { name: "@s/a", version: "1.0.0" });
    add("c/package.json", { name: "c", version: "1.0.0" });
    add("c/node_modules/b/package.json", { name: "b", version: "1.0.0" });
    add("d/node_modules/b/package.json", { name: "b", version: "2.0.0" });
    add("d/package.json", { type: "module" });
    const found = installedManifests(root).map(({ name, version }) => `${name}@${version}`);
    expect(found).toEqual(["@s/a@1.0.0", "b@1.0.0", "b@2.0.0", "c@1.0.0"]);
  });
});

describe("npm start", () => {
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

  it("ends with 0, on the packages installed here, and without a Redis that nobody named", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, temporaryFolder()], {
      encoding: "utf8",
      env: { ...process.env, KV_TEST_REDIS_URL: "" },
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toContain("same answer ✓");
    expect(stdout).toContain("Not run: Redis, which needs a server (set KV_TEST_REDIS_URL)");
    for (const line of stdout.split("\n"))
      if (!/tour\.(db|level)/.test(line)) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("says so where the Redis that was named is not there, and not with what password", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, temporaryFolder()], {
      encoding: "utf8",
      env: { ...process.env, KV_TEST_REDIS_URL: "redis://:a-secret@127.0.0.1:1" },
    });
    expect(status).toBe(1);
    expect(stderr).toContain("the Redis that KV_TEST_REDIS_URL names cannot be used");
    expect(stdout + stderr).not.toContain("a-secret");
  });
});
