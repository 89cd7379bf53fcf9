import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Adapter, type CreateStoreOptions, createStore, KvError, type Store } from "@kv/core";
import { sqlite } from "@kv/sqlite";
import { onTestFinished } from "vitest";
import { type HybridOptions, hybrid } from "../src/index.ts";

/** A directory of its own, which goes with the test. */
export async function scratchDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "kv-hybrid-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A SQLite index in the directory and the files below it; nothing is collected but on demand. */
export function hybridIn(directory: string, options: Partial<HybridOptions> = {}): Adapter {
  return hybrid({
    index: sqlite({ path: join(directory, "index.db") }),
    directory: join(directory, "files"),
    inlineBelow: 100,
    collectInterval: null,
    ...options,
  });
}

export function storeIn(
  directory: string,
  options: Partial<HybridOptions> = {},
  storeOptions: CreateStoreOptions = {},
): Store {
  const store = createStore(hybridIn(directory, options), { sweepInterval: null, ...storeOptions });
  onTestFinished(() => store.close());
  return store;
}

/** The files that are some entry's, or were: below the directory of files, without what is only there for the moment. */
export function filesIn(directory: string): string[] {
  return listed(directory).filter((name) => /^(objects|entries)\//.test(name) && !name.endsWith("/latest"));
}

/** Everything that is not a directory. */
export function listed(directory: string): string[] {
  const root = join(directory, "files");
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((found) => !found.isDirectory())
    .map((found) => join(found.parentPath, found.name).slice(root.length + 1))
    .sort();
}

/** What a promise is rejected with. */
export async function refusal(promise: Promise<unknown>): Promise<KvError> {
  const error: unknown = await promise.then(
    () => new Error("nothing was refused"),
    (reason: unknown) => reason,
  );
  if (KvError.is(error)) return error;
  throw error;
}

/** A value that follows from its number, of more than a kilobyte. */
export function large(i: number): { readonly i: number; readonly text: string } {
  return { i, text: `${i} `.repeat(1000) };
}

export async function collected<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
