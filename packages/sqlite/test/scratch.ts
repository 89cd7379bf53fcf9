import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Adapter, Commit, CommitResult, Range, SetMutation, StoredEntry } from "@kv/core";
import { namespaceOf } from "@kv/core";
import { onTestFinished } from "vitest";
import { type SqliteOptions, sqlite } from "../src/index.ts";

export const ROOT = namespaceOf([]);

/** A path in a directory of its own, which is removed after the test. */
export async function scratchPath(name = "store.db"): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "kv-sqlite-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return join(directory, name);
}

/** Open, and closed with the test. */
export async function opened(options: SqliteOptions): Promise<Adapter> {
  const adapter = sqlite(options);
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

export async function pagesOf(adapter: Adapter, range: Range): Promise<(readonly StoredEntry[])[]> {
  const pages: (readonly StoredEntry[])[] = [];
  for await (const page of adapter.scan(ROOT, range)) pages.push(page);
  return pages;
}

/** Resolves as soon as the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
