import { type EntryOperation, entriesModel, keysOf } from "./entries-model.ts";
import { independent } from "./independent.ts";
import { linearizable } from "./linearizable.ts";

/** The result of checking a history, object by object. */
export interface EntriesCheck {
  /** The number of separate histories: one for each group of keys that were used together. */
  readonly histories: number;
  /** The histories that are not linearizable or undecided, as text: `>` marks operations that no order could place. */
  readonly refused: readonly string[];
}

/**
 * Checks a history of entries that were all absent at the beginning, separately for keys that were never used together.
 * @throws RangeError as `linearizable` does
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
