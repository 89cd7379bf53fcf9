import type { PlannedMutation } from "../adapter-parts/deadline.ts";
import { refuseAborted } from "../arguments/signal.ts";
import { type Envelope, UPDATE_OPTIONS } from "../arguments/write-options.ts";
import { Refusal } from "../contract/errors.ts";
import type { UpdateOptions } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";
import { asCaller, attemptsOf, called, LOST, untilWon } from "../runtime/optimistic.ts";
import { assertOk } from "./commit-result.ts";
import type { CommitOne, Writing } from "./set-mutation.ts";

type Change = (value: unknown) => unknown;

/** What an asynchronous function will return, and the revision whose value it was given. */
interface Pending {
  readonly value: Promise<unknown>;
  readonly revision: string | null;
}

/**
 * If `fn` returns synchronously, no other operation of this store comes between the read and the write, so only other
 * processes cause another attempt. An asynchronous `fn` may itself use the store, so other operations do not wait for it.
 */
export async function updateEntry(
  context: ViewContext,
  writing: Writing,
  key: string,
  fn: Change,
  options: UpdateOptions | undefined,
): Promise<unknown> {
  const around = writing.envelope(options, UPDATE_OPTIONS, "update");
  const attempts = attemptsOf(options?.attempts);
  if (typeof fn !== "function") {
    throw new Refusal("KV_INVALID_OPTION", "update needs a function from the old value to the new one");
  }
  const { connection, lane } = context;
  const through: CommitOne = (commit) => connection.continue(() => lane.commitOne(commit, options?.signal));
  let pending: Pending | undefined;
  let result = await lane.section([key], async (direct) => {
    // An operation that was aborted while it waited is not begun.
    refuseAborted(options?.signal);
    const [entry] = await direct.read([key]);
    const value = called(fn, entry === undefined ? undefined : await context.value(entry));
    const revision = entry?.revision ?? null;
    if (!isThenable(value)) {
      return written(context, writing, key, value, revision, around, (commit) => direct.commit(commit));
    }
    const late = Promise.resolve(value);
    late.catch(() => undefined);
    pending = { value: late, revision };
    return LOST;
  });
  if (pending !== undefined) {
    const { value, revision } = pending as Pending;
    result = await written(context, writing, key, await asCaller(value), revision, around, through);
  }
  if (result !== LOST) return result;
  return untilWon(
    attempts,
    async () => {
      refuseAborted(options?.signal);
      const entry = await connection.continue(() => lane.readOne(key));
      const before = entry === undefined ? undefined : await context.value(entry);
      const value = await asCaller(called(fn, before));
      return written(context, writing, key, value, entry?.revision ?? null, around, through);
    },
    1,
  );
}

/** Writes the value that an update returned (`undefined`: deletes). Returns it, or `LOST`. */
async function written(
  context: ViewContext,
  writing: Writing,
  key: string,
  value: unknown,
  revision: string | null,
  around: Envelope,
  commit: CommitOne,
): Promise<unknown> {
  if (value === undefined && revision === null) return undefined;
  const input = value === undefined ? undefined : await context.input(value);
  const mutation: PlannedMutation =
    value === undefined ? { type: "delete", key } : writing.mutation(key, input, around);
  const result = await commit({ checks: [{ key, revision }], mutations: [mutation] });
  if (result.status === "conflict") return LOST;
  assertOk(result);
  return input;
}

/** Callers' functions may return any kind of promise. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
