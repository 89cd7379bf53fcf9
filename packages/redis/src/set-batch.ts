import type { Commit, CommitResult, Namespace, SetMutation } from "@kv/core";
import { deadlineText, headText, NO_DEADLINE, timeText } from "./entry.ts";
import type { Space } from "./layout.ts";
import type { Argument } from "./link.ts";
import { SET } from "./set-script.ts";
import type { Target } from "./target.ts";

/** Longer texts do not go through Lua, which copies them several times. */
export const LARGE = 2048;

/** The set that a commit is, if it is nothing else and small: what most commits are. */
export function plainSet({ checks, mutations }: Commit, now: number): SetMutation | undefined {
  if (checks.length > 0 || mutations.length !== 1) return undefined;
  const mutation = mutations[0];
  if (mutation === undefined || mutation.type !== "set") return undefined;
  const { expiresAt, payload } = mutation;
  if (expiresAt === "keep" || (expiresAt !== undefined && expiresAt <= now)) return undefined;
  if (typeof payload !== "string" || payload.length + (mutation.user?.length ?? 0) > LARGE / 3) {
    if (!isSmall(mutation)) return undefined;
  }
  return mutation;
}

/** Whether an entry goes through Lua as it is. */
export function isSmall({ payload, user }: Pick<SetMutation, "payload" | "user">): boolean {
  const size = typeof payload === "string" ? Buffer.byteLength(payload) : (payload as Uint8Array).byteLength;
  return size + (user === undefined ? 0 : user.length * 6) <= LARGE;
}

/** An entry without `createdAt`. */
export function entryText(head: string, payload: unknown): Argument {
  return typeof payload === "string"
    ? head + payload
    : Buffer.concat([Buffer.from(head), payload as Uint8Array]);
}

/** Plain sets of different keys in one script. */
export class SetBatch {
  readonly #target: Target;
  readonly #space: Space;
  readonly #time: string;
  readonly #plain: string;
  readonly #names: string[] = [];
  readonly #texts: Argument[] = [];
  readonly #results: CommitResult[] = [];

  constructor(target: Target, namespace: Namespace, partition: number, now: number) {
    this.#target = target;
    this.#space = target.space(namespace, partition);
    this.#time = timeText(now);
    this.#plain = `${this.#time}${NO_DEADLINE}pj-`;
  }

  get size(): number {
    return this.#names.length;
  }

  add({ key, payload, encoding, expiresAt, policy, user }: SetMutation): void {
    const revision = this.#target.revisions.next();
    this.#names.push(this.#space.entries + key);
    this.#texts.push(
      expiresAt === undefined &&
        policy === "persist" &&
        user === undefined &&
        encoding === "json" &&
        typeof payload === "string"
        ? this.#plain + revision + payload
        : entryText(
            headText({
              time: this.#time,
              deadline: typeof expiresAt === "number" ? deadlineText(expiresAt) : NO_DEADLINE,
              policy,
              encoding,
              user,
              revision,
              binary: typeof payload !== "string",
            }),
            payload,
          ),
    );
    this.#results.push({ status: "ok", outcomes: [{ revision }] });
  }

  async run(): Promise<CommitResult[]> {
    const large = this.#target.hasLarge(this.#space.tag);
    const reply = await this.#target.run(
      SET,
      this.#space,
      this.#names,
      [large ? "1" : "0", ...this.#texts],
      this.#time,
    );
    if (reply === 1) this.#target.noteLarge(this.#space.tag);
    return this.#results;
  }
}
