import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Adapter, type CreateStoreOptions, createStore, KvError, type Store } from "@kv/core";
import { sqlite } from "@kv/sqlite";
import { onTestFinished } from "vitest";
import { type HybridOptions, hybrid } from "../src/index.ts";

/** A new directory, removed after the test. */
export async function scratchDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "kv-hybrid-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A SQLite index in the directory and the files below it. Files are collected only on demand. */
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

/** The files of present and former entries: below the directory of files, without temporary ones. */
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

/** The error with which a promise rejects. */
export async function refusal(promise: Promise<unknown>): Promise<KvError> {
  const error: unknown = await promise.then(
    () => new Error("nothing was refused"),
    (reason: unknown) => reason,
  );
  if (KvError.is(error)) return error;
  throw error;
}

/** A value of more than a kilobyte, determined by its number. */
export function large(i: number): { readonly i: number; readonly text: string } {
  return { i, text: `${i} `.repeat(1000) };
}

export async function collected<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
