import {
  type Adapter,
  type Commit,
  type CommitResult,
  type Mutation,
  namespaceOf,
  type StoredEntry,
} from "@kv/core";

export const ROOT: ReturnType<typeof namespaceOf> = namespaceOf([]);
export const EVERYTHING = { start: "", end: undefined } as const;

interface Given {
  readonly expiresAt?: number | "keep";
  readonly policy?: "persist" | "evict";
  readonly user?: string;
}

export function set(key: string, payload: unknown, given: Given = {}): Mutation {
  const { expiresAt, policy = "persist", user } = given;
  const encoding = payload instanceof Uint8Array ? "bytes" : "json";
  return { type: "set", key, payload, encoding, expiresAt, policy, user };
}

export function del(key: string): Mutation {
  return { type: "delete", key };
}

export function increment(key: string, by: number): Mutation {
  return { type: "increment", key, by, expiresAt: undefined, policy: "persist", user: undefined };
}

/** One commit without checks. */
export function write(adapter: Adapter, ...mutations: Mutation[]): CommitResult {
  return commit(adapter, { checks: [], mutations });
}

export function commit(adapter: Adapter, commit: Commit): CommitResult {
  const [result] = now(adapter.commit(ROOT, [commit]));
  if (result === undefined) throw new Error("no result");
  return result;
}

export function read(adapter: Adapter, key: string): StoredEntry | undefined {
  return now(adapter.read(ROOT, [key]))[0];
}

export function keys(adapter: Adapter, reverse = false): string[] {
  const pages = adapter.scan(ROOT, { ...EVERYTHING, reverse, limit: Infinity, keysOnly: true });
  return [...(pages as Iterable<readonly StoredEntry[]>)].flat().map(({ key }) => key);
}

/** The adapter's answer, which it always returns at once. */
export function now<T>(answer: T | Promise<T>): T {
  if (answer instanceof Promise) throw new Error("expected an answer, got a promise");
  return answer;
}

/** A clock that stands still until it is set. */
export class Clock {
  time: number;

  constructor(time: number = Date.UTC(2026, 0, 1)) {
    this.time = time;
  }

  readonly read = (): number => this.time;
}
