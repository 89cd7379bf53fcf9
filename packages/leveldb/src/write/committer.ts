import {
  addToNumber,
  type Check,
  type Commit,
  type CommitResult,
  type IncrementMutation,
  type Mutation,
  type Namespace,
  type Outcome,
  type SetMutation,
  type TouchMutation,
} from "@kv/core";
import { decodeEntry, type Fields, type StoredValue } from "../stored/entry.ts";
import { type Header, NEVER } from "../stored/header.ts";
import type { Layout } from "../stored/layout.ts";
import type { Workspace } from "./workspace.ts";

/** Applies commits to a workspace, without writing anything. */
export class Committer {
  readonly #layout: Layout;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** Applies them in order. An error of a commit becomes its result. */
  apply(namespace: Namespace, commits: readonly Commit[], work: Workspace): CommitResult[] {
    const task = new Task(namespace, this.#layout.space(namespace), work);
    return commits.map((commit) => task.attempt(commit));
  }
}

/** The commits of one call. */
class Task {
  readonly #namespace: Namespace;
  readonly #space: string;
  readonly #work: Workspace;
  readonly #watched: boolean;

  constructor(namespace: Namespace, space: string, work: Workspace) {
    this.#namespace = namespace;
    this.#space = space;
    this.#work = work;
    this.#watched = work.isWatched(namespace.id);
  }

  attempt(commit: Commit): CommitResult {
    try {
      return this.#apply(commit);
    } catch (error) {
      return { status: "error", error };
    }
  }

  #apply({ checks, mutations }: Commit): CommitResult {
    if (checks.length > 0) {
      const failed = this.#failed(checks);
      if (failed.length > 0) return { status: "conflict", failed };
    }
    const [only] = mutations;
    // A single mutation changes nothing until all of it has succeeded.
    if (mutations.length === 1 && only !== undefined) return this.#mutateAll(mutations);
    return this.#work.part(
      () => this.#mutateAll(mutations),
      ({ status }) => status === "ok",
    );
  }

  #failed(checks: readonly Check[]): string[] {
    const failed = new Set<string>();
    for (const { key, revision } of checks) {
      const header = this.#work.header(this.#space + key);
      const current = this.#work.isLive(header) ? header.revision : null;
      if (current !== revision) failed.add(key);
    }
    return [...failed];
  }

  #mutateAll(mutations: readonly Mutation[]): CommitResult {
    const outcomes: Outcome[] = [];
    for (const mutation of mutations) {
      const outcome = this.#mutate(mutation);
      if (outcome === undefined) return { status: "not-a-number", key: mutation.key };
      outcomes.push(outcome);
    }
    return { status: "ok", outcomes };
  }

  #mutate(mutation: Mutation): Outcome | undefined {
    const storedKey = this.#space + mutation.key;
    const before = this.#work.header(storedKey);
    switch (mutation.type) {
      case "set":
        return { revision: this.#set(storedKey, before, mutation) };
      case "delete":
        return { existed: this.#delete(mutation.key, storedKey, before) };
      case "touch":
        return { existed: this.#touch(storedKey, before, mutation) };
      case "increment":
        return this.#increment(storedKey, before, mutation);
    }
  }

  #set(storedKey: string, before: Header, mutation: SetMutation): string {
    const work = this.#work;
    const { key, policy, encoding, user, payload } = mutation;
    const live = work.isLive(before);
    const expiresAt = mutation.expiresAt === "keep" ? keptDeadline(before, live) : mutation.expiresAt;
    const revision = work.nextRevision();
    if (expiresAt !== undefined && expiresAt <= work.now) {
      this.#delete(key, storedKey, before);
      return revision;
    }
    const fields: Fields = {
      revision,
      createdAt: live && before.createdAt !== "" ? before.createdAt : work.nowText,
      updatedAt: work.nowText,
      expiresAt,
      policy,
      encoding,
      user,
    };
    const value = work.put(storedKey, before, fields, payload);
    if (this.#watched) this.#publish("set", key, storedKey, value);
    return revision;
  }

  #delete(key: string, storedKey: string, before: Header): boolean {
    const live = this.#work.isLive(before);
    this.#work.remove(storedKey, before);
    if (this.#watched && live) this.#work.publish(this.#namespace, { type: "delete", key });
    return live;
  }

  #touch(storedKey: string, before: Header, { key, expiresAt, policy }: TouchMutation): boolean {
    const work = this.#work;
    if (!work.isLive(before)) return false;
    if (typeof expiresAt === "number" && expiresAt <= work.now) return this.#delete(key, storedKey, before);
    const entry = work.entry(key, storedKey);
    if (entry === undefined) throw new Error("an entry vanished between two looks at it");
    const fields: Fields = {
      revision: entry.revision,
      createdAt: String(entry.createdAt),
      updatedAt: String(entry.updatedAt),
      expiresAt: expiresAt === undefined ? entry.expiresAt : (expiresAt ?? undefined),
      policy: policy ?? entry.policy,
      encoding: entry.encoding,
      user: entry.user,
    };
    const value = work.put(storedKey, before, fields, entry.payload);
    if (this.#watched) this.#publish("touch", key, storedKey, value);
    return true;
  }

  /** `undefined`: the value is not a number. */
  #increment(storedKey: string, before: Header, mutation: IncrementMutation): Outcome | undefined {
    const work = this.#work;
    const { key, by } = mutation;
    const entry = work.isLive(before) ? work.entry(key, storedKey) : undefined;
    if (entry !== undefined && entry.encoding !== "json") return undefined;
    const value = addToNumber(entry?.payload, by);
    if (value === undefined) return undefined;
    const { expiresAt, policy, user } = entry ?? mutation;
    const payload = JSON.stringify(value);
    return {
      revision: this.#set(storedKey, before, {
        type: "set",
        key,
        payload,
        encoding: "json",
        expiresAt,
        policy,
        user,
      }),
      value,
    };
  }

  #publish(type: "set" | "touch", key: string, storedKey: string, value: StoredValue): void {
    const entry = decodeEntry(key, storedKey, value);
    this.#work.publish(this.#namespace, { type, key, entry });
  }
}

function keptDeadline({ deadline }: Header, live: boolean): number | undefined {
  return live && deadline !== NEVER ? deadline : undefined;
}
