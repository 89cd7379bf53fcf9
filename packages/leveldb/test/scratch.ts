import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Adapter, Commit, CommitResult, SetMutation } from "@kv/core";
import { createStore, KvError, namespaceOf } from "@kv/core";
import { onTestFinished } from "vitest";
import { type LeveldbOptions, leveldb } from "../src/index.ts";

export const ROOT = namespaceOf([]);
export const EVERYTHING = { start: "", end: undefined } as const;

/** A path in a directory of its own, which is removed after the test. */
export async function scratchPath(name = "store"): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "kv-leveldb-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return join(directory, name);
}

/** Open, and closed with the test. */
export async function opened(options: LeveldbOptions): Promise<Adapter> {
  const adapter = leveldb(options);
  await adapter.open();
  onTestFinished(async () => adapter.close());
  return adapter;
}

export function setting(key: string, value: unknown, options: Partial<SetMutation> = {}): Commit {
  const base = {
    type: "set",
    key,
    payload: JSON.stringify(value),
    encoding: "json",
    expiresAt: undefined,
    policy: "persist",
    user: undefined,
  } as const;
  return { checks: [], mutations: [{ ...base, ...options }] };
}

export async function commitAll(adapter: Adapter, ...commits: Commit[]): Promise<CommitResult[]> {
  return adapter.commit(ROOT, commits);
}

/** The payload under a key. */
export async function payloadOf(adapter: Adapter, key: string): Promise<unknown> {
  const [entry] = await adapter.read(ROOT, [key]);
  return entry?.payload;
}

/** What the first operation of a store rejects with. */
export async function refusalOf(options: LeveldbOptions, operate: "get" | "set" = "get"): Promise<KvError> {
  const store = createStore(leveldb(options));
  try {
    await (operate === "get" ? store.get("k") : store.set("k", 1));
  } catch (error) {
    if (KvError.is(error)) return error;
    throw error;
  } finally {
    await store.close();
  }
  throw new Error("nothing was refused");
}
