import type { EntryOperation } from "@kv/conformance/linearizability";
import type { Store } from "@kv/core";
import type { Ground } from "./contender.ts";

/** Keys that no other round uses. */
export function groundOf(round: number, operations: number): Ground {
  const named = (...names: string[]): string[] => names.map((name) => `${round}:${name}`);
  return {
    groups: [named("a1", "a2", "a3"), named("b1", "b2", "b3"), named("c"), named("d"), named("e")],
    operations,
  };
}

/** The end of a history: the reads of an undisturbed client. */
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
