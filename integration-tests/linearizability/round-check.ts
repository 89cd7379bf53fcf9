import type { Store } from "@kv/core";
import type { EntryOperation, Ground } from "./contender.ts";
import { entriesModel, keysOf } from "./entries-model.ts";
import { independent } from "./independent.ts";
import { linearizable } from "./linearizable.ts";

/** What came of the histories of the objects of a round. */
export interface RoundCheck {
  /** How many histories there were. */
  readonly histories: number;
  /** Those that are not linearizable, or could not be decided, for people. */
  readonly refused: readonly string[];
}

/** A ground that no other round has. */
export function groundOf(round: number, operations: number): Ground {
  const named = (...names: string[]): string[] => names.map((name) => `${round}:${name}`);
  return {
    groups: [named("a1", "a2", "a3"), named("b1", "b2", "b3"), named("c"), named("d"), named("e")],
    operations,
  };
}

/** The end of a history: what somebody reads whom nothing disturbs. */
export async function lastWords(witness: Store, { groups }: Ground): Promise<EntryOperation[]> {
  return Promise.all(
    groups.flat().map(async (key): Promise<EntryOperation> => {
      const called = Number(process.hrtime.bigint()) / 1e6;
      const entry = await witness.getEntry(key);
      const got =
        entry === undefined ? null : { value: entry.value as number, revision: entry.metadata.revision };
      return {
        client: "witness",
        input: { do: "get", key },
        output: { got },
        called,
        returned: Number(process.hrtime.bigint()) / 1e6,
      };
    }),
  );
}

export function checkedRound(history: readonly EntryOperation[]): RoundCheck {
  const objects = independent(history, ({ input }) => keysOf(input));
  const refused: string[] = [];
  for (const object of objects) {
    const answer = linearizable(entriesModel, object);
    if (answer.is === "linearizable") continue;
    const sorted = object.toSorted((a, b) => a.called - b.called);
    const stuck = new Set(answer.is === "undecided" ? [] : answer.stuck);
    const lines = sorted.map((operation, i) => `${stuck.has(i) ? ">" : " "} ${told(operation, sorted[0])}`);
    refused.push(`${answer.is}:\n${lines.join("\n")}`);
  }
  return { histories: objects.length, refused };
}

function told(
  { client, input, output, called, returned }: EntryOperation,
  first: EntryOperation | undefined,
): string {
  const since = first?.called ?? 0;
  const until = returned === Number.POSITIVE_INFINITY ? "?" : (returned - since).toFixed(2);
  return `${(called - since).toFixed(2)}–${until} ms ${client}: ${JSON.stringify(input)} → ${JSON.stringify(output)}`;
}
