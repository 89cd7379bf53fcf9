import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ArangodbServerOptions } from "@kv/arangodb";
import type { Adapter, CreateStoreOptions, Store } from "@kv/core";
import type { LeveldbPathOptions } from "@kv/leveldb";
import type { MemoryOptions } from "@kv/memory";
import type { RedisServerOptions } from "@kv/redis";
import type { SqliteFileOptions } from "@kv/sqlite";
import { describe, expect, expectTypeOf, it } from "vitest";
import { adapterFrom, openStore, type StoreConfig } from "../src/index.ts";
import type {
  ARANGODB_QUERY,
  LEVELDB_QUERY,
  MEMORY_QUERY,
  REDIS_QUERY,
  SQLITE_QUERY,
} from "../src/known-adapters.ts";
import type { Kind } from "../src/query-options.ts";
import { temporaryProject } from "./temporary-project.ts";

/** The options that a text can say, each with the kind of text. */
type Textual<Options> = {
  [Name in keyof Options as [KindOf<Options[Name]>] extends [never] ? never : Name]-?: KindOf<Options[Name]>;
};
type KindOf<Value, Given = NonNullable<Value>> = [Given] extends [never]
  ? never
  : [Given] extends [string]
    ? "text"
    : [Given] extends [number]
      ? "number"
      : [Given] extends [boolean]
        ? "boolean"
        : never;

describe("StoreConfig", () => {
  it("is a union over the adapters, discriminated by their names", () => {
    expectTypeOf<StoreConfig["adapter"]>().toEqualTypeOf<
      "arangodb" | "hybrid" | "leveldb" | "memory" | "redis" | "sqlite" | "tiered"
    >();
    expectTypeOf<StoreConfig["store"]>().toEqualTypeOf<CreateStoreOptions | undefined>();
    expectTypeOf<{ adapter: "memory" }>().toExtend<StoreConfig>();
    expectTypeOf<{ adapter: "sqlite"; path: string; durability: "full" }>().toExtend<StoreConfig>();
    expectTypeOf<{ adapter: "hybrid"; directory: string; index: string }>().toExtend<StoreConfig>();
    expectTypeOf<{
      adapter: "hybrid";
      directory: string;
      index: { adapter: "sqlite"; path: string };
    }>().toExtend<StoreConfig>();
    // @ts-expect-error the index is a store's config, and not an adapter's
    ({ adapter: "hybrid", directory: ".", index: { adapter: "memory", store: {} } }) satisfies StoreConfig;
    expectTypeOf<{
      adapter: "tiered";
      near: "memory:";
      far: { adapter: "sqlite"; path: string };
      write: "behind";
    }>().toExtend<StoreConfig>();
    // @ts-expect-error far is missing
    ({ adapter: "tiered", near: "memory:" }) satisfies StoreConfig;
    // @ts-expect-error path is missing
    ({ adapter: "sqlite" }) satisfies StoreConfig;
    // @ts-expect-error path is sqlite's
    ({ adapter: "memory", path: "./app.db" }) satisfies StoreConfig;
    // @ts-expect-error misspelt
    ({ adapter: "sqlite", path: "./app.db", durabilty: "full" }) satisfies StoreConfig;
    // @ts-expect-error no such value
    ({ adapter: "sqlite", path: "./app.db", durability: "most" }) satisfies StoreConfig;
    // @ts-expect-error misspelt, of the store
    ({ adapter: "memory", store: { defaultTTL: "5m" } }) satisfies StoreConfig;
    // @ts-expect-error no duration
    ({ adapter: "memory", store: { defaultTtl: "5 minutes" } }) satisfies StoreConfig;
    // @ts-expect-error not installed
    ({ adapter: "hybrid" }) satisfies StoreConfig;
  });

  it("is what the functions take", () => {
    expectTypeOf(openStore).parameter(0).toEqualTypeOf<string | URL | StoreConfig>();
    expectTypeOf(openStore).returns.toEqualTypeOf<Promise<Store>>();
    expectTypeOf(openStore<number>).returns.toEqualTypeOf<Promise<Store<number>>>();
    expectTypeOf(adapterFrom).returns.toEqualTypeOf<Promise<Adapter>>();
  });

  it("can be said in a URL, as far as text goes", () => {
    expectTypeOf<typeof MEMORY_QUERY>().toExtend<Record<string, Kind>>();
    expectTypeOf<{ -readonly [N in keyof typeof MEMORY_QUERY]: (typeof MEMORY_QUERY)[N] }>().toEqualTypeOf<{
      -readonly [N in keyof Textual<MemoryOptions>]: Textual<MemoryOptions>[N];
    }>();
    type Sqlite = Textual<Omit<SqliteFileOptions, "path">>;
    expectTypeOf<{ -readonly [N in keyof typeof SQLITE_QUERY]: (typeof SQLITE_QUERY)[N] }>().toEqualTypeOf<{
      -readonly [N in keyof Sqlite]: Sqlite[N];
    }>();
    type Leveldb = Textual<Omit<LeveldbPathOptions, "path">>;
    expectTypeOf<{ -readonly [N in keyof typeof LEVELDB_QUERY]: (typeof LEVELDB_QUERY)[N] }>().toEqualTypeOf<{
      -readonly [N in keyof Leveldb]: Leveldb[N];
    }>();
    // What the URL itself says is not said again in its query.
    type Redis = Textual<Omit<RedisServerOptions, "url" | "host" | "port" | "username" | "password">>;
    expectTypeOf<{ -readonly [N in keyof typeof REDIS_QUERY]: (typeof REDIS_QUERY)[N] }>().toEqualTypeOf<{
      -readonly [N in keyof Redis]: Redis[N];
    }>();
    type Arangodb = Textual<
      Omit<ArangodbServerOptions, "url" | "database" | "username" | "password" | "token">
    >;
    expectTypeOf<{
      -readonly [N in keyof typeof ARANGODB_QUERY]: (typeof ARANGODB_QUERY)[N];
    }>().toEqualTypeOf<{
      -readonly [N in keyof Arangodb]: Arangodb[N];
    }>();
  });

  it("compiles for a user who lacks an adapter's package, and then does not offer the adapter", () => {
    const project = temporaryProject({
      "package.json": '{"type":"module"}',
      "node_modules/@kv/config/package.json": '{"type":"module","exports":{"types":"./index.d.ts"}}',
      "node_modules/@kv/core/package.json": '{"type":"module","exports":{"types":"./index.d.ts"}}',
      "node_modules/@kv/core/index.d.ts":
        "export interface CreateStoreOptions { defaultTtl?: string }\n" +
        "export interface Adapter { name: string }\nexport interface Store<V> { get(key: string): Promise<V> }",
      "node_modules/@kv/memory/package.json": '{"type":"module","exports":{"types":"./index.d.ts"}}',
      "node_modules/@kv/memory/index.d.ts": "export interface MemoryOptions { maxEntries?: number }",
      "main.ts": `
        import { openStore } from "@kv/config";
        await openStore({ adapter: "memory", maxEntries: 5 });
        // @ts-expect-error misspelt
        await openStore({ adapter: "memory", maxEntrys: 5 });
        // @ts-expect-error not installed
        await openStore({ adapter: "sqlite", path: "./app.db" });`,
    });
    const sources = fileURLToPath(new URL("../src/index.ts", import.meta.url));
    const common = ["--module", "nodenext", "--target", "es2024", "--strict", "--types", ""];
    const emitted = compile(sources, "--outDir", join(project, "node_modules/@kv/config"), ...common, [
      "--declaration",
      "--emitDeclarationOnly",
      "--rewriteRelativeImportExtensions",
      "--skipLibCheck",
      "--types",
      "node",
    ]);
    expect(emitted).toBe("");
    // A declaration file that mentions `URL` needs whatever declares it: here the DOM.
    const checked = compile(join(project, "main.ts"), "--noEmit", ...common, ["--lib", "es2024,dom"]);
    expect(checked).toBe("");
  });
});

function compile(...args: (string | string[])[]): string {
  const tsc = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  return spawnSync(process.execPath, [tsc, "--ignoreConfig", ...args.flat()], { cwd, encoding: "utf8" })
    .stdout;
}
