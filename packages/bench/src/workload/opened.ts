import { isDeepStrictEqual } from "node:util";
import type { Cell } from "./cells.ts";
import type { Contender, Subject } from "./contender.ts";
import { batches, type Data, HUGE, keysOf, LARGE, MANY, ORDERED_PREFIXES, SMALL } from "./data.ts";

/** The contenders of a group that could be opened, filled with the same entries. */
export interface Opened {
  readonly subjects: ReadonlyMap<string, Subject>;
  /** Contender → what it threw. */
  readonly failures: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function openAll(
  contenders: readonly Contender[],
  needs: ReadonlySet<Cell["needs"]>,
  folder: string,
): Promise<Opened> {
  const subjects = new Map<string, Subject>();
  const failures: Record<string, string> = {};
  for (const contender of contenders) {
    try {
      const subject = await contender.open(folder);
      subjects.set(contender.name, subject);
      if (needs.has("small")) await fill(subject, SMALL);
      if (needs.has("large")) await fill(subject, LARGE);
      if (needs.has("huge")) await fill(subject, HUGE);
      if (needs.has("ordered")) await fillOrdered(subject);
    } catch (error) {
      subjects.delete(contender.name);
      failures[contender.name] = messageOf(error);
    }
  }
  const close = async (): Promise<void> => {
    for (const subject of subjects.values()) await subject.close();
  };
  return { subjects, failures, close };
}

/** A contender that answers wrongly is left out: its speed would mean nothing. */
async function fill(subject: Subject, { keys, values }: Data): Promise<void> {
  await subject.setMany(keys.map((key, index) => [key, values[index % values.length]!]));
  const [first, second] = [await subject.get(keys[0]!), await subject.getMany(keys.slice(0, 2))];
  demand(isDeepStrictEqual(first, values[0]), "get answers wrongly");
  demand(isDeepStrictEqual(second, values.slice(0, 2)), "getMany answers wrongly");
}

async function fillOrdered(subject: Subject): Promise<void> {
  if (subject.scan === undefined) return;
  // In key order, as entries with a time in their key arrive.
  const keys = ORDERED_PREFIXES.toSorted().flatMap((prefix) => keysOf(prefix, MANY));
  for (const batch of batches(keys)) await subject.setMany(batch);
  const prefix = ORDERED_PREFIXES[0]!;
  const found = await subject.scan(prefix);
  demand(Array.isArray(found), "the range is no array");
  const foundKeys = (found as [string, unknown][]).map(([key]) => key);
  demand(isDeepStrictEqual(foundKeys, keysOf(prefix, MANY)), "the range is not what it should be");
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!;
}
