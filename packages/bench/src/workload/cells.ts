import type { Pair, Subject } from "./contender.ts";
import { type Data, HUGE, LARGE, MANY, ORDERED_PREFIXES, SMALL } from "./data.ts";

/** One row of the table: the same work for every contender. */
export interface Cell {
  readonly name: string;
  readonly title: string;
  /** Which entries must be there. */
  readonly needs: "small" | "large" | "huge" | "ordered";
  /** The unit that the rate counts per second. */
  readonly unit: "operations" | "entries" | "ranges";
  /** How many of these one step makes. */
  readonly perStep: number;
  supports(subject: Subject): boolean;
  /** Makes the steps `from` (included) to `to` (excluded). */
  run(subject: Subject, from: number, to: number): Promise<void>;
}

type Operation = (subject: Subject, step: number) => unknown;

const all = (): boolean => true;

const get = (data: Data): Operation => {
  const { keys } = data;
  return (subject, step) => subject.get(keys[step % keys.length]!);
};

const set = (data: Data): Operation => {
  const { keys, values } = data;
  return (subject, step) => subject.set(keys[step % keys.length]!, values[step % values.length]!);
};

const HOUR = 3_600_000;

const expiringKeys: readonly string[] = SMALL.keys.map((key) => `ttl:${key}`);

const setExpiring: Operation = (subject, step) =>
  subject.setExpiring?.(
    expiringKeys[step % expiringKeys.length]!,
    SMALL.values[step % SMALL.values.length]!,
    HOUR,
  );

/**
 * Random numbers that decide which steps of a mix write. Drawn once for all contenders; their count is prime, so that
 * each key is both read and written.
 */
const dice: readonly number[] = Array.from(
  { length: 7919 },
  (_, index) => (Math.imul(index, 2_654_435_761) >>> 16) % 100,
);

const mix = (writesPercent: number): Operation => {
  const [read, write] = [get(SMALL), set(SMALL)];
  return (subject, step) => (dice[step % dice.length]! < writesPercent ? write : read)(subject, step);
};

/** One after the other. */
const sequential = (operation: Operation) => async (subject: Subject, from: number, to: number) => {
  for (let step = from; step < to; step++) await operation(subject, step);
};

/** By workers that each wait only for their own last operation. */
const concurrent =
  (workers: number, operation: Operation) => async (subject: Subject, from: number, to: number) => {
    const work = async (worker: number): Promise<void> => {
      for (let step = from + worker; step < to; step += workers) await operation(subject, step);
    };
    await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  };

/** A thousand in one tick, a step. */
const burst = (operation: Operation): Operation => {
  return (subject, step) => {
    const first = step * MANY;
    return Promise.all(Array.from({ length: MANY }, (_, index) => operation(subject, first + index)));
  };
};

const keyLists: readonly (readonly string[])[] = Array.from({ length: SMALL.keys.length / MANY }, (_, list) =>
  SMALL.keys.slice(list * MANY, (list + 1) * MANY),
);

/** Seven editions of each list, so that the same keys get other values each time; made before the clock runs. */
const pairLists: readonly Pair[][] = Array.from({ length: keyLists.length * 7 }, (_, list) =>
  keyLists[list % keyLists.length]!.map(
    (key, index): Pair => [key, SMALL.values[(list * MANY + index) % SMALL.values.length]!],
  ),
);

const getMany: Operation = (subject, step) => subject.getMany(keyLists[step % keyLists.length]!);
const setMany: Operation = (subject, step) => subject.setMany(pairLists[step % pairLists.length]!);
const scan: Operation = (subject, step) => subject.scan?.(ORDERED_PREFIXES[step % ORDERED_PREFIXES.length]!);

const small = { needs: "small", unit: "operations", perStep: 1, supports: all } as const;

export const cells: readonly Cell[] = [
  { ...small, name: "get", title: "get", run: sequential(get(SMALL)) },
  { ...small, name: "set", title: "set", run: sequential(set(SMALL)) },
  { ...small, name: "mix90", title: "90 % get, 10 % set", run: sequential(mix(10)) },
  { ...small, name: "mix50", title: "50 % get, 50 % set", run: sequential(mix(50)) },
  { ...small, name: "get64", title: "get, 64 workers", run: concurrent(64, get(SMALL)) },
  { ...small, name: "set64", title: "set, 64 workers", run: concurrent(64, set(SMALL)) },
  {
    ...small,
    name: "burstGet",
    title: "get, 1,000 in one tick",
    perStep: MANY,
    run: sequential(burst(get(SMALL))),
  },
  {
    ...small,
    name: "burstSet",
    title: "set, 1,000 in one tick",
    perStep: MANY,
    run: sequential(burst(set(SMALL))),
  },
  {
    ...small,
    name: "setTtl",
    title: "set with a TTL",
    supports: (subject) => subject.setExpiring !== undefined,
    run: sequential(setExpiring),
  },
  {
    ...small,
    name: "getMany",
    title: "getMany of 1,000",
    unit: "entries",
    perStep: MANY,
    run: sequential(getMany),
  },
  {
    ...small,
    name: "setMany",
    title: "setMany of 1,000",
    unit: "entries",
    perStep: MANY,
    run: sequential(setMany),
  },
  { ...small, name: "get10k", title: "get of 10 KB", needs: "large", run: sequential(get(LARGE)) },
  { ...small, name: "set10k", title: "set of 10 KB", needs: "large", run: sequential(set(LARGE)) },
  { ...small, name: "get10m", title: "get of 10 MB", needs: "huge", run: sequential(get(HUGE)) },
  { ...small, name: "set10m", title: "set of 10 MB", needs: "huge", run: sequential(set(HUGE)) },
  {
    name: "scan",
    title: "range of 1,000 in 100,000",
    needs: "ordered",
    unit: "ranges",
    perStep: 1,
    supports: (subject) => subject.scan !== undefined,
    run: sequential(scan),
  },
];
