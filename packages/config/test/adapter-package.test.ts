import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { KvError } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it, vi } from "vitest";
import { adapterFrom, openStore } from "../src/index.ts";
import { failureWithoutAdapters } from "./lonely-config.ts";
import { installed, temporaryProject } from "./temporary-project.ts";

const URLS: Readonly<Record<string, string>> = {
  "memory:": "@kv/memory",
  "sqlite:./app.db": "@kv/sqlite",
  "leveldb:./data": "@kv/leveldb",
  "redis://localhost": "@kv/redis",
  "arangodb://localhost": "@kv/arangodb",
  "hybrid:./data?index=memory:": "@kv/hybrid",
};

async function failureOf(promise: Promise<unknown>): Promise<KvError> {
  const error = await promise.catch((reason: unknown) => reason);
  if (!KvError.is(error)) throw new Error("no KvError", { cause: error });
  return error;
}

describe("a package that is not installed", () => {
  it.each(Object.entries(URLS))("is named for %s: %s", (url, name) => {
    const from = temporaryProject();
    const failure = failureWithoutAdapters(url, from);
    expect(failure).toMatchObject({ code: "KV_UNSUPPORTED", retryable: false });
    expect(failure.message).toContain(`the package ${name} is not installed in ${from}; run: `);
  });

  it("is named for an object, too", () => {
    const { message } = failureWithoutAdapters({ adapter: "redis", password: "geheim" }, temporaryProject());
    expect(message).toContain("@kv/redis");
    expect(message).not.toContain("geheim");
  });

  it.each([
    ["pnpm-lock.yaml", "", "pnpm add @kv/redis"],
    ["yarn.lock", "", "yarn add @kv/redis"],
    ["bun.lock", "", "bun add @kv/redis"],
    ["package-lock.json", "{}", "npm install @kv/redis"],
    ["package.json", '{"packageManager":"pnpm@10.0.0"}', "pnpm add @kv/redis"],
  ])("comes with the command of the package manager that %s speaks of", (file, text, command) => {
    const project = temporaryProject({ [file]: text, "packages/app/package.json": "{}" });
    for (const from of [join(project, "packages/app"), pathToFileURL(join(project, "main.js")).href]) {
      expect(failureWithoutAdapters("redis:", from).message).toContain(`run: ${command}`);
    }
  });

  it.each([
    ["yarn/4.1.0 npm/? node/v24", "yarn add @kv/redis"],
    ["", "npm install @kv/redis"],
  ])("otherwise with that of what started the process: %j", (agent, command) => {
    const env = { npm_config_user_agent: agent };
    expect(failureWithoutAdapters("redis:", temporaryProject(), env).message).toContain(`run: ${command}`);
  });
});

describe("a package that is installed in the user's project", () => {
  it("is used, and gets what the URL or the config says", async () => {
    const code = `export const redis = (options) => ({ ...globalThis.kvTestAdapter, options });`;
    const from = temporaryProject(installed("@kv/redis", code));
    vi.stubGlobal("kvTestAdapter", { name: "redis" });
    const url = "rediss://user:geheim@localhost:6380/3";
    expect(await adapterFrom(`${url}?partitions=16&ordered=false`, { from })).toMatchObject({
      options: { url, partitions: 16, ordered: false },
    });
    const config = { adapter: "redis", prefix: "app" } as never;
    expect(await adapterFrom(config, { from })).toMatchObject({ options: { prefix: "app" } });
    vi.unstubAllGlobals();
  });

  it("wins over the one beside @kv/config", async () => {
    vi.stubGlobal("kvTestAdapter", memory({ maxEntries: 1 }));
    const from = temporaryProject(
      installed("@kv/memory", "export const memory = () => globalThis.kvTestAdapter;"),
    );
    await using store = await openStore("memory:", { from });
    vi.unstubAllGlobals();
    await store.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    expect(await store.count()).toBe(1);
  });

  it("is found from the working directory", async () => {
    const project = temporaryProject(
      installed("@kv/leveldb", "export const leveldb = (options) => options;"),
    );
    vi.spyOn(process, "cwd").mockReturnValue(project);
    expect(await adapterFrom("leveldb:./data")).toEqual({ path: "./data" });
    vi.restoreAllMocks();
  });

  it.each([
    [
      "throws while it is loaded",
      'throw new Error("no native driver");',
      "cannot be loaded: no native driver",
    ],
    ["needs one that is missing", 'import "ioredis-is-missing";', "ioredis-is-missing"],
    ["has no factory", "export const other = 1;", "exports no redis()"],
  ])("is named where it %s", async (_, code, message) => {
    const from = temporaryProject(installed("@kv/redis", code));
    const error = await failureOf(openStore("redis://localhost", { from }));
    expect(error.code).toBe("KV_BACKEND");
    expect(error.message).toContain("@kv/redis");
    expect(error.message).toContain(message);
  });
});

describe("a password", () => {
  it.each([
    "arangodb://user:geheim@localhost/a/b",
    "arangodb://user:geheim@localhost/a?password=geheim",
    "nope://user:geheim@localhost",
    "memory://user:geheim@localhost",
    "sqlite://user:geheim@localhost/app.db?nope=geheim",
    "memory:?maxEntries=geheim",
    "geheim",
  ])("appears in no error about %s", async (url) => {
    for (let error: unknown = await failureOf(openStore(url)); error instanceof Error; error = error.cause) {
      expect(`${error.message} ${error.stack}`).not.toContain("geheim");
    }
  });

  it("appears in none about a config that is none", async () => {
    const error = await failureOf(openStore({ adapter: "redis://:geheim@localhost" } as never));
    expect(error.message).not.toContain("geheim");
  });
});
