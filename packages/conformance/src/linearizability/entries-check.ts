import { type EntryOperation, entriesModel, keysOf } from "./entries-model.ts";
import { independent } from "./independent.ts";
import { linearizable } from "./linearizable.ts";

/** What came of the histories of the objects that a history is about. */
export interface EntriesCheck {
  /** How many histories there were: one for the keys that were touched together. */
  readonly histories: number;
  /** Those that are not linearizable, or could not be decided, for people: `>` marks what could not follow the rest. */
  readonly refused: readonly string[];
}

/**
 * Checks what clients saw of entries that were all absent at the beginning, key by key as far as keys are independent.
 * @throws RangeError as `linearizable`
 */
export function checkEntries(history: readonly EntryOperation[]): EntriesCheck {
  const objects = independent(history, ({ input }) => keysOf(input));
  const refused: string[] = [];
  for (const object of objects) {
    const answer = linearizable(entriesModel, object);
    if (answer.is === "linearizable") continue;
    const sorted = object.toSorted((a, b) => a.called - b.called);
    const stuck = new Set(answer.is === "undecided" ? [] : answer.stuck);
    const lines = sorted.map(
      (operation) => `${stuck.has(operation) ? ">" : " "} ${told(operation, sorted[0]?.called ?? 0)}`,
    );
    refused.push(`${answer.is}:\n${lines.join("\n")}`);
  }
  return { histories: objects.length, refused };
}

function told({ client, input, output, called, returned }: EntryOperation, since: number): string {
  const until = output === undefined ? "?" : (returned - since).toFixed(2);
  return `${(called - since).toFixed(2)}–${until} ${client}: ${JSON.stringify(input)} → ${JSON.stringify(output)}`;
}
