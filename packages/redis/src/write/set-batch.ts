import type { Commit, CommitResult, Namespace, SetMutation } from "@kv/core";
import type { Argument } from "../connection/link.ts";
import { SET } from "../scripts/set-script.ts";
import { headOf, NO_DEADLINE, timeText } from "../stored/entry.ts";
import type { Space } from "../stored/layout.ts";
import type { Target } from "./script-target.ts";

/** Bytes above which an entry bypasses Lua, which would copy it several times. */
const LARGE = 2048;

/** The set, if the commit consists of one unconditional set, as most do; else `undefined`. */
export function plainSet({ checks, mutations }: Commit, now: number): SetMutation | undefined {
  if (checks.length > 0 || mutations.length !== 1) return undefined;
  const mutation = mutations[0];
  if (mutation === undefined || mutation.type !== "set") return undefined;
  const { expiresAt } = mutation;
  return expiresAt === "keep" || (expiresAt !== undefined && expiresAt <= now) ? undefined : mutation;
}

/** Whether an entry is small enough to pass through Lua. */
export function isSmall({ payload, user }: Pick<SetMutation, "payload" | "user">): boolean {
  if (typeof payload === "string" && user === undefined && payload.length <= LARGE / 3) return true;
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
  /** The script's arguments: whether some entry is large, then the entries. */
  readonly #texts: Argument[] = ["0"];
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

  add(set: SetMutation): void {
    const { key, payload, encoding, expiresAt, policy, user } = set;
    const revision = this.#target.revisions.next();
    this.#names.push(this.#space.entries + key);
    const isPlain =
      expiresAt === undefined && policy === "persist" && user === undefined && encoding === "json";
    this.#texts.push(
      isPlain && typeof payload === "string"
        ? this.#plain + revision + payload
        : entryText(headOf(set, this.#time, revision), payload),
    );
    this.#results.push({ status: "ok", outcomes: [{ revision }] });
  }

  run(): Promise<CommitResult[]> {
    const target = this.#target;
    const { tag } = this.#space;
    this.#texts[0] = target.hasLarge(tag) ? "1" : "0";
    return target.run(SET, this.#space, this.#names, this.#texts, this.#time).then((reply) => {
      if (reply === 1) target.noteLarge(tag);
      return this.#results;
    });
  }
}
