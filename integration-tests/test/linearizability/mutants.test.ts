import { checkEntries, type EntriesCheck } from "@kv/conformance/linearizability";
import { type Adapter, type Commit, createStore, forward, type Middleware, type StoredEntry } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, onTestFinished, test } from "vitest";
import { Contender } from "../../linearizability/contender.ts";
import { groundOf, lastWords } from "../../linearizability/round.ts";
import { randomFrom } from "../faults/damage/damage.ts";
import { late } from "../suites/late.ts";

const SEED = Number(process.env["KV_TEST_SEED"] ?? 20_261_120);
const CLIENTS = 8;

/** Once in so many times a mutant does what it should not. */
const SELDOM = 5;

/** Adds once more, as a client does that repeats what was not answered. */
function repeatsIncrements(random: () => number): Middleware {
  return (inner) =>
    forward(inner, {
      async commit(namespace, commits) {
        const results = await inner.commit(namespace, commits);
        const counting = commits.filter(({ mutations }) =>
          mutations.some(({ type }) => type === "increment"),
        );
        if (counting.length > 0 && random() < 1 / SELDOM) await inner.commit(namespace, counting);
        return results;
      },
    });
}

/** Answers with earlier reads, like a cache that is never invalidated. */
function servesStaleReads(random: () => number): Middleware {
  const known = new Map<string, StoredEntry | undefined>();
  return (inner) =>
    forward(inner, {
      async read(namespace, keys) {
        const entries = await inner.read(namespace, keys);
        return keys.map((key, i) => {
          if (known.has(key) && random() < 1 / SELDOM) return known.get(key);
          known.set(key, entries[i]);
          return entries[i];
        });
      },
    });
}

/** Writes whatever was checked. */
function losesUpdates(): Middleware {
  return (inner) =>
    forward(inner, {
      commit: (namespace, commits) =>
        inner.commit(
          namespace,
          commits.map(({ mutations }) => ({ checks: [], mutations })),
        ),
    });
}

/** Makes a commit in two steps, between which others come. */
function halvesCommits(): Middleware {
  return (inner) =>
    forward(inner, {
      async commit(namespace, commits) {
        const halves = (from: number, to?: number) =>
          commits.map(({ checks, mutations }): Commit => {
            return { checks: from === 0 ? checks : [], mutations: mutations.slice(from, to) };
          });
        const [first, second] = [
          await inner.commit(namespace, halves(0, 1)),
          await inner.commit(namespace, halves(1)),
        ];
        return first.map((result, i) => {
          const rest = second[i];
          if (result.status !== "ok" || rest?.status !== "ok") return result;
          return { status: "ok", outcomes: [...result.outcomes, ...rest.outcomes] };
        });
      },
    });
}

/** Many clients on one memory, some rounds long. `each`: what every client has before it. */
async function rounds(count: number, each: (random: () => number) => Middleware): Promise<EntriesCheck> {
  const random = randomFrom(SEED);
  const shared = late(memory());
  await shared.open();
  const open = (middleware?: Middleware) => {
    // It stays open until the last of them is closed.
    const one: Adapter = forward(shared, { open: () => undefined, close: () => undefined });
    const store = createStore(middleware === undefined ? one : middleware(one), { sweepInterval: null });
    onTestFinished(() => store.close());
    return store;
  };
  const clients = Array.from({ length: CLIENTS }, (_, i) => new Contender(i, open(each(random)), random));
  const witness = open();
  let histories = 0;
  const refused: string[] = [];
  for (let round = 0; round < count; round++) {
    const ground = groundOf(round, 12);
    const parts = await Promise.all(clients.map((client) => client.round(ground)));
    const history = [...parts.flatMap((part) => part.history), ...(await lastWords(witness, ground))];
    const check = checkEntries(history);
    histories += check.histories;
    refused.push(...check.refused);
  }
  return { histories, refused };
}

const whole: Middleware = (inner) => inner;

describe(`eight clients on one memory (seed ${SEED})`, () => {
  test("leave histories that are linearizable", async () => {
    const { histories, refused } = await rounds(6, () => whole);
    expect(refused).toEqual([]);
    expect(histories).toBeGreaterThanOrEqual(30);
  });

  test.each([
    ["repeats increments", repeatsIncrements],
    ["serves stale reads", servesStaleReads],
    ["loses updates", losesUpdates],
    ["makes commits by halves", halvesCommits],
  ])("are caught where what is between %s", async (_, mutant) => {
    const { refused } = await rounds(6, mutant);
    expect(refused).not.toEqual([]);
    expect(refused[0]).toMatch(/^not linearizable/);
  });
});
