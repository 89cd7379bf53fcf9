import { randomBytes } from "node:crypto";
import type { Commit, CommitResult, Mutation, Namespace, Outcome, SetMutation } from "@kv/core";
import { COMMIT } from "./commit-script.ts";
import { deadlineText, headText, KEPT_DEADLINE, NO_DEADLINE, timeText } from "./entry.ts";
import type { Space } from "./layout.ts";
import type { Argument } from "./link.ts";
import { entryText, isSmall } from "./set-batch.ts";
import type { Target } from "./target.ts";

/** What the script answers where a large value did not arrive. */
const SOURCE_GONE = -2;
/** Milliseconds that a large value lives which no script took. */
const TRANSIT_MS = "60000";
/** The length of what stands before the payload without extras and without `createdAt`. */
const FIXED = 48;

interface Planned {
  readonly commit: Commit;
  /** The new revisions of its sets and increments; `undefined` for the other mutations. */
  readonly revisions: readonly (string | undefined)[];
}

/** Any commits in one script. Large values go ahead of it, into names of their own, and are renamed by it. */
export class CommitBatch {
  readonly #target: Target;
  readonly #space: Space;
  readonly #now: number;
  readonly #time: string;
  readonly #names: string[] = [];
  readonly #places = new Map<string, string>();
  readonly #args: Argument[] = [];
  readonly #large: { readonly name: string; readonly value: Argument; readonly arg: number }[] = [];
  readonly #planned: Planned[] = [];

  constructor(target: Target, namespace: Namespace, partition: number, now: number) {
    this.#target = target;
    this.#space = target.space(namespace, partition);
    this.#now = now;
    this.#time = timeText(now);
  }

  get size(): number {
    return this.#planned.length;
  }

  /** How much there is to do. */
  get weight(): number {
    return this.#args.length / 4;
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  add(commit: Commit): void {
    const { checks, mutations } = commit;
    this.#args.push(String(checks.length), String(mutations.length));
    for (const { key, revision } of checks) {
      // No entry has the revision "", which stands for absence here.
      this.#args.push(this.#place(key), revision === "" ? "none" : (revision ?? ""));
    }
    this.#planned.push({ commit, revisions: mutations.map((mutation) => this.#mutation(mutation)) });
  }

  /** Where a key's name is among KEYS. */
  #place(key: string): string {
    let place = this.#places.get(key);
    if (place === undefined) {
      this.#names.push(this.#space.entries + key);
      place = String(this.#names.length + 5);
      this.#places.set(key, place);
    }
    return place;
  }

  #mutation(mutation: Mutation): string | undefined {
    const place = this.#place(mutation.key);
    const args = this.#args;
    switch (mutation.type) {
      case "set":
        return this.#set(mutation, place);
      case "delete":
        args.push("delete", place);
        return undefined;
      case "increment": {
        const { by, expiresAt, policy, user } = mutation;
        const revision = this.#target.revisions.next();
        const deadline = expiresAt === undefined ? NO_DEADLINE : deadlineText(expiresAt);
        args.push(
          "add",
          place,
          headText({ time: this.#time, deadline, policy, encoding: "json", user, revision, binary: false }),
          String(by),
        );
        return revision;
      }
      case "touch": {
        const { expiresAt, policy } = mutation;
        if (typeof expiresAt === "number" && expiresAt <= this.#now) args.push("delete", place);
        else {
          const deadline =
            expiresAt === undefined ? "" : expiresAt === null ? NO_DEADLINE : deadlineText(expiresAt);
          args.push("touch", place, deadline, policy === undefined ? "" : policy === "evict" ? "e" : "p");
        }
        return undefined;
      }
    }
  }

  #set(mutation: SetMutation, place: string): string {
    const { payload, encoding, expiresAt, policy, user } = mutation;
    const revision = this.#target.revisions.next();
    if (typeof expiresAt === "number" && expiresAt <= this.#now) {
      this.#args.push("past", place);
      return revision;
    }
    const deadline =
      expiresAt === "keep" ? KEPT_DEADLINE : expiresAt === undefined ? NO_DEADLINE : deadlineText(expiresAt);
    const binary = typeof payload !== "string";
    const head = headText({ time: this.#time, deadline, policy, encoding, user, revision, binary });
    const text = entryText(head, payload);
    if (isSmall(mutation)) this.#args.push("set", place, text);
    else {
      const name = `${this.#space.transit}${randomBytes(9).toString("base64url")}`;
      this.#args.push("move", place, head.slice(0, FIXED), "");
      const value =
        typeof text === "string" ? this.#time + text : Buffer.concat([Buffer.from(this.#time), text]);
      this.#large.push({ name, value, arg: this.#args.length - 1 });
    }
    return revision;
  }

  async run(): Promise<CommitResult[]> {
    for (let attempt = 1; ; attempt++) {
      const reply = await this.#attempt();
      if (Array.isArray(reply)) return this.#planned.map((planned, i) => resultOf(planned, reply[i]));
      // A node that takes over a slot may have got the script, but not what went ahead of it.
      if (reply !== SOURCE_GONE || attempt === 3)
        throw new Error(`the server answered ${String(reply)} to a commit`);
    }
  }

  async #attempt(): Promise<unknown> {
    const { link } = this.#target;
    const transit: string[] = [];
    const ahead: Promise<unknown>[] = [];
    for (const { name, value, arg } of this.#large) {
      transit.push(name);
      this.#args[arg] = String(5 + this.#names.length + transit.length);
      ahead.push(link.call("set", [name, value, "PX", TRANSIT_MS]));
    }
    const applied = this.#target.run(COMMIT, this.#space, this.#names, this.#args, this.#time, transit);
    if (ahead.length === 0) return applied;
    // A value that was refused (a full memory) says more than the script that misses it.
    const [outcome, ...arrivals] = await Promise.allSettled([applied, ...ahead]);
    if (outcome.status === "fulfilled" && outcome.value !== SOURCE_GONE) return outcome.value;
    for (const arrival of arrivals) if (arrival.status === "rejected") throw arrival.reason;
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  }
}

function resultOf({ commit, revisions }: Planned, reply: unknown): CommitResult {
  const answers = Array.isArray(reply) ? reply.map(String) : ["o"];
  const [kind, ...rest] = answers;
  if (kind === "c") {
    const failed = new Set(rest.map((at) => commit.checks[Number(at)]?.key ?? ""));
    return { status: "conflict", failed: [...failed] };
  }
  if (kind === "n") return { status: "not-a-number", key: commit.mutations[Number(rest[0])]?.key ?? "" };
  let next = 0;
  const outcomes = commit.mutations.map((mutation, i): Outcome => {
    const revision = revisions[i];
    if (mutation.type === "set") return revision === undefined ? {} : { revision };
    const answer = rest[next++];
    if (mutation.type === "increment")
      return { ...(revision === undefined ? undefined : { revision }), value: Number(answer) };
    return { existed: answer === "1" };
  });
  return { status: "ok", outcomes };
}
