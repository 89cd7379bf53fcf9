import type { Commit, CommitResult, Mutation, Namespace, Outcome, SetMutation } from "@kv/core";
import type { Argument } from "../connection/link.ts";
import { COMMIT } from "../scripts/commit-script.ts";
import { deadlineText, headOf, headText, NO_DEADLINE, timeText } from "../stored/entry.ts";
import type { Space } from "../stored/layout.ts";
import { FIXED, wholeEntry } from "./move-batch.ts";
import type { Target } from "./script-target.ts";
import { entryText, isSmall } from "./set-batch.ts";
import { Transit } from "./staged-values.ts";

interface Planned {
  readonly commit: Commit;
  /** The new revisions of its sets and increments; `undefined` for the other mutations. */
  readonly revisions: readonly (string | undefined)[];
}

/** Any commits in one script. Large values are sent ahead of it under temporary names, and the script renames them. */
export class CommitBatch {
  readonly #target: Target;
  readonly #space: Space;
  readonly #now: number;
  readonly #time: string;
  readonly #names: string[] = [];
  readonly #places = new Map<string, string>();
  readonly #args: Argument[] = [];
  readonly #transit: Transit;
  /** Which arguments hold the places of the values in transit. */
  readonly #sources: number[] = [];
  readonly #planned: Planned[] = [];

  constructor(target: Target, namespace: Namespace, partition: number, now: number) {
    this.#target = target;
    this.#space = target.space(namespace, partition);
    this.#now = now;
    this.#time = timeText(now);
    this.#transit = new Transit(target.link, this.#space);
  }

  get size(): number {
    return this.#planned.length;
  }

  /** About how much work the script has. */
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

  /** The place of a key's name among KEYS. */
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
    const { payload, expiresAt } = mutation;
    const revision = this.#target.revisions.next();
    if (typeof expiresAt === "number" && expiresAt <= this.#now) {
      this.#args.push("past", place);
      return revision;
    }
    const head = headOf(mutation, this.#time, revision);
    const text = entryText(head, payload);
    if (isSmall(mutation)) this.#args.push("set", place, text);
    else {
      this.#args.push("move", place, head.slice(0, FIXED), "");
      this.#sources.push(this.#args.length - 1);
      this.#transit.add(wholeEntry(this.#time, text), revision);
    }
    return revision;
  }

  async run(): Promise<CommitResult[]> {
    // How many names precede theirs is only known now.
    for (const [i, arg] of this.#sources.entries()) this.#args[arg] = String(6 + this.#names.length + i);
    const reply = await this.#transit.before(() =>
      this.#target.run(COMMIT, this.#space, this.#names, this.#args, this.#time, this.#transit.names),
    );
    if (!Array.isArray(reply)) throw new Error(`the server answered ${String(reply)} to a commit`);
    return this.#planned.map((planned, i) => resultOf(planned, reply[i]));
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
