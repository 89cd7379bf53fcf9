/**
 * Whether a recorded history of one key is linearizable: whether every operation can be given a moment between its
 * call and its return at which it took effect, so that the answers are those of a plain register. The search is that
 * of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with the memory of Lowe ("Testing for
 * Linearizability", 2017): of two orders of the same operations that lead to the same state only one is followed.
 */

/** What a register may be asked for, with its answer; no answer: the outcome is unknown. */
export type RegisterOperation =
  | { readonly type: "get"; readonly answer?: { readonly value: unknown } }
  | { readonly type: "set"; readonly value: unknown; readonly answer?: { readonly revision: string } }
  /** A revision: created; `undefined`: the key existed. */
  | {
      readonly type: "create";
      readonly value: unknown;
      readonly answer?: { readonly revision: string | undefined };
    }
  /** A revision: replaced; `undefined`: the key had another revision, or none. */
  | {
      readonly type: "replace";
      readonly expected: string;
      readonly value: unknown;
      readonly answer?: { readonly revision: string | undefined };
    }
  | { readonly type: "increment"; readonly by: number; readonly answer?: { readonly value: number } }
  | { readonly type: "delete"; readonly answer?: { readonly existed: boolean } };

/** An operation as it was seen from outside. */
export type Recorded = RegisterOperation & {
  readonly call: number;
  /** `Infinity` where no answer came: it may have taken effect at any later moment, or never. */
  readonly return: number;
};

/** What a register holds. A revision that nobody was told is `undefined`, and may be any. */
interface Register {
  readonly value: unknown;
  readonly revision: string | undefined;
}

type State = Register | "absent";

/** The state after an operation, or `undefined` where its answer could not have been given in this state. */
function step(state: State, operation: RegisterOperation): State | undefined {
  switch (operation.type) {
    case "get": {
      const value = state === "absent" ? undefined : state.value;
      return operation.answer === undefined || Object.is(value, operation.answer.value) ? state : undefined;
    }
    case "set":
      return { value: operation.value, revision: operation.answer?.revision };
    case "create":
      return written(state, state === "absent", operation);
    case "replace": {
      if (state === "absent") return written(state, false, operation);
      if (state.revision !== undefined)
        return written(state, state.revision === operation.expected, operation);
      // The write before has told nobody its revision, so that either answer is possible.
      return written(state, operation.answer?.revision !== undefined, operation);
    }
    case "increment": {
      const value = (state === "absent" ? 0 : Number(state.value)) + operation.by;
      const fits = operation.answer === undefined || operation.answer.value === value;
      return fits ? { value, revision: undefined } : undefined;
    }
    case "delete":
      return operation.answer === undefined || operation.answer.existed === (state !== "absent")
        ? "absent"
        : undefined;
  }
}

function written(
  state: State,
  happens: boolean,
  { value, answer }: { readonly value: unknown; readonly answer?: { readonly revision: string | undefined } },
): State | undefined {
  if (answer !== undefined && (answer.revision !== undefined) !== happens) return undefined;
  return happens ? { value, revision: answer?.revision } : state;
}

/** The greatest set of operations that could be put in order, for the message; or that all of them could. */
export type Finding =
  | { readonly linearizable: true }
  | { readonly linearizable: false; readonly stuck: readonly Recorded[] };

/** Checks the history of one key that was absent at the beginning. */
export function checkHistory(history: readonly Recorded[]): Finding {
  const operations = history.toSorted((a, b) => a.call - b.call);
  const seen = new Set<string>();
  let deepest = -1;
  let stuck: readonly Recorded[] = [];

  function search(done: bigint, count: number, state: State): boolean {
    const open = operations.filter((_, position) => (done & (1n << BigInt(position))) === 0n);
    if (open.every((operation) => operation.return === Number.POSITIVE_INFINITY)) return true;
    const memory = `${done} ${state === "absent" ? state : JSON.stringify([state.value, state.revision])}`;
    if (seen.has(memory)) return false;
    seen.add(memory);
    if (count > deepest) {
      deepest = count;
      stuck = open;
    }
    // An operation may come next only if no other open one had returned before it was called.
    const horizon = Math.min(...open.map((operation) => operation.return));
    for (const [position, operation] of operations.entries()) {
      const bit = 1n << BigInt(position);
      if ((done & bit) !== 0n || operation.call > horizon) continue;
      const next = step(state, operation);
      if (next !== undefined && search(done | bit, count + 1, next)) return true;
    }
    return false;
  }

  return search(0n, 0, "absent") ? { linearizable: true } : { linearizable: false, stuck };
}
