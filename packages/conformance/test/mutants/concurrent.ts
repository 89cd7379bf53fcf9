import { setTimeout as sleep } from "node:timers/promises";
import type {
  Adapter,
  ChangeListener,
  Commit,
  CommitResult,
  Mutation,
  Namespace,
  StoredChange,
  StoredEntry,
} from "@kv/core";
import { memory } from "@kv/memory";
import { answering, committed, committing, found, over } from "./lens.ts";
import type { Mutant } from "./mutant.ts";

/** What a backend could do wrong with several writers, several keys, and watchers. */
export const concurrentMutants: readonly Mutant[] = [
  {
    title: "ignores checks",
    caughtBy: "concurrency › of N concurrent creates exactly one wins, and its value stays",
    adapter: committing((commit) => ({ ...commit, checks: [] })),
  },
  {
    title: "applies a commit whose checks did not hold",
    caughtBy: "atomicity › failed lists the keys whose check did not hold, each once, and nothing is written",
    adapter: over((inner) => ({
      commit: (namespace, commits) => {
        const results = committed(inner, namespace, commits);
        for (const [position, result] of results.entries()) {
          if (result.status === "conflict")
            committed(inner, namespace, [{ checks: [], mutations: commits[position]?.mutations ?? [] }]);
        }
        return results;
      },
    })),
  },
  {
    title: "names every checked key as failed",
    caughtBy: "atomicity › failed lists the keys whose check did not hold, each once, and nothing is written",
    adapter: answering((result, { checks }) =>
      result.status === "conflict" ? { ...result, failed: checks.map(({ key }) => key) } : result,
    ),
  },
  {
    title: "names only the first failed check",
    caughtBy: "atomicity › failed lists the keys whose check did not hold, each once, and nothing is written",
    adapter: answering((result) =>
      result.status === "conflict" ? { ...result, failed: result.failed.slice(0, 1) } : result,
    ),
  },
  {
    title: "applies mutations one by one, and leaves what it did when one fails",
    caughtBy: "atomicity › an increment of what is no number refuses the whole commit, nothing written",
    adapter: over((inner) => ({
      commit: (namespace, commits) => commits.map((commit) => oneByOne(inner, namespace, commit)),
    })),
  },
  {
    title: "applies only the last mutation of every key",
    caughtBy: "atomicity › several mutations of one key apply in call order",
    adapter: over((inner) => ({
      commit: (namespace, commits) =>
        commits.map((commit) => {
          const last = new Map(commit.mutations.map((mutation) => [mutation.key, mutation]));
          const [result] = committed(inner, namespace, [{ ...commit, mutations: [...last.values()] }]);
          if (result?.status !== "ok") return result ?? { status: "error", error: undefined };
          const outcomes = new Map(
            [...last.keys()].map((key, position) => [key, result.outcomes[position] ?? {}]),
          );
          return { ...result, outcomes: commit.mutations.map(({ key }) => outcomes.get(key) ?? {}) };
        }),
    })),
  },
  {
    title: "reads and writes an increment in two steps",
    caughtBy: "concurrency › N concurrent increments add up to N, and no two of them give the same number",
    adapter: over((inner) => ({
      commit: (namespace, commits) =>
        Promise.all(commits.map((commit) => inTwoSteps(inner, namespace, commit))),
    })),
  },
  {
    title: "compares revisions in one step and writes in another",
    caughtBy: "concurrency › of N concurrent replaces of one revision exactly one wins",
    adapter: over((inner) => ({
      commit: async (namespace, commits) => {
        const checked = committed(
          inner,
          namespace,
          commits.map(({ checks }) => ({ checks, mutations: [] })),
        );
        await new Promise((resolve) => setImmediate(resolve));
        return commits.map(({ mutations }, position) => {
          const check = checked[position];
          return check?.status === "ok"
            ? (committed(inner, namespace, [{ checks: [], mutations }])[0] ?? check)
            : (check ?? { status: "conflict", failed: [] });
        });
      },
    })),
  },
  {
    title: "writes the keys of a commit one after the other, where readers see it",
    caughtBy:
      "concurrency › a commit is seen whole or not at all, by getMany in one call and by a snapshot scan",
    adapter: over((inner) => ({
      commit: async (namespace, commits) => {
        const results: CommitResult[] = [];
        for (const { checks, mutations } of commits) {
          const outcomes = [];
          for (const [position, mutation] of mutations.entries()) {
            const [result] = committed(inner, namespace, [
              { checks: position === 0 ? checks : [], mutations: [mutation] },
            ]);
            if (result?.status === "ok") outcomes.push(...result.outcomes);
            await new Promise((resolve) => setImmediate(resolve));
          }
          results.push({ status: "ok", outcomes });
        }
        return results;
      },
    })),
  },
  {
    title: "reads from a replica that lags behind",
    caughtBy:
      "concurrency › recorded histories of one key are linearizable: get, set, create, replace and delete by four clients",
    adapter: over(lagging),
  },
  {
    title: "loses every tenth change that is watched",
    caughtBy: "watching › changes of one key arrive in order, and the last one always",
    adapter: watched((changes, count) => (count % 10 === 0 ? [] : changes)),
  },
  {
    title: "tells nobody of a touch",
    caughtBy: "watching › updateTtl and updatePolicy arrive as touch, with the revision and value there are",
    adapter: watched((changes) => changes.filter(({ type }) => type !== "touch")),
  },
  {
    title: "tells of a touch as a set",
    caughtBy: "watching › updateTtl and updatePolicy arrive as touch, with the revision and value there are",
    adapter: watched((changes) =>
      changes.map((change) => (change.type === "touch" ? { ...change, type: "set" } : change)),
    ),
  },
  {
    title: "tells of an expiry as a delete",
    caughtBy: "watching › an entry that expires arrives as expire, at the latest when it is swept",
    adapter: watched((changes) =>
      changes.map((change) => (change.type === "expire" ? { ...change, type: "delete" } : change)),
    ),
  },
  {
    title: "tells of no clear",
    caughtBy: "watching › every kind of removal arrives as a delete",
    adapter: over((inner) => {
      let clearing = false;
      return {
        clear: (namespace, filter) => {
          clearing = true;
          const count = inner.clear(namespace, filter);
          clearing = false;
          return count;
        },
        watch: (namespace, bounds, listener) =>
          inner.watch?.(namespace, bounds, (changes) => clearing || listener(changes)) ?? (() => undefined),
      };
    }),
  },
  {
    title: "tells every watcher of the whole namespace",
    caughtBy:
      "watching › a watcher is told of the keys within its selector, in its scope and namespace, and of no others",
    adapter: over((inner) => ({
      watch: (namespace, _, listener) =>
        inner.watch?.(namespace, { start: "", end: undefined }, listener) ?? (() => undefined),
    })),
  },
  {
    title: "knows whom to tell of a write when it begins, and not when it is seen",
    caughtBy:
      "watching › whoever subscribes and then reads misses nothing of what is being written meanwhile",
    adapter: over((inner) => {
      const listeners = new Set<ChangeListener>();
      let told: ReadonlySet<ChangeListener> = new Set();
      return {
        commit: async (namespace, commits) => {
          const known = new Set(listeners);
          await sleep(10);
          told = known;
          return inner.commit(namespace, commits);
        },
        watch: (namespace, bounds, listener) => {
          listeners.add(listener);
          const passOn: ChangeListener = (changes) => {
            if (told.has(listener)) listener(changes);
          };
          return inner.watch?.(namespace, bounds, passOn) ?? (() => undefined);
        },
      };
    }),
  },
  {
    title: "begins to watch some time after it has said so",
    caughtBy: "watching › once subscribe has resolved no later change is missed",
    adapter: over((inner) => ({
      watch: (namespace, bounds, listener) => {
        let off = (): void => undefined;
        setTimeout(async () => {
          off = (await inner.watch?.(namespace, bounds, listener)) ?? off;
        }, 5);
        return () => off();
      },
    })),
  },
  {
    title: "says that it keeps what it does not",
    caughtBy:
      "durability and processes › what was written is there after a restart: every key, value and all metadata",
    adapter: (clock) => persistent(memory({ clock })),
    reopen: (clock) => persistent(memory({ clock })),
  },
];

function persistent(inner: Adapter): Adapter {
  return Object.defineProperty(inner, "capabilities", { value: { ...inner.capabilities, persistent: true } });
}

function oneByOne(inner: Adapter, namespace: Namespace, { checks, mutations }: Commit): CommitResult {
  const outcomes = [];
  for (const [position, mutation] of mutations.entries()) {
    const [result] = committed(inner, namespace, [
      { checks: position === 0 ? checks : [], mutations: [mutation] },
    ]);
    if (result?.status !== "ok") return result ?? { status: "error", error: undefined };
    outcomes.push(...result.outcomes);
  }
  return { status: "ok", outcomes };
}

async function inTwoSteps(inner: Adapter, namespace: Namespace, commit: Commit): Promise<CommitResult> {
  const [mutation] = commit.mutations;
  if (mutation?.type !== "increment")
    return committed(inner, namespace, [commit])[0] ?? { status: "error", error: undefined };
  const [entry] = found(inner, namespace, [mutation.key]);
  await new Promise((resolve) => setImmediate(resolve));
  const value = Number(entry?.payload ?? 0) + mutation.by;
  const write: Mutation = { ...mutation, type: "set", payload: value, encoding: "json", expiresAt: "keep" };
  const [result] = committed(inner, namespace, [{ checks: [], mutations: [write] }]);
  return result?.status === "ok"
    ? { status: "ok", outcomes: [{ ...result.outcomes[0], value }] }
    : { status: "error", error: undefined };
}

/** Reads are answered from a copy that is two turns of the event loop old. */
function lagging(inner: Adapter): Partial<Adapter> {
  const copies = new Map<string, StoredEntry | undefined>();
  return {
    read: (namespace, keys) =>
      keys.map((key) => (copies.has(key) ? copies.get(key) : found(inner, namespace, [key])[0])),
    commit: (namespace, commits) => {
      for (const { key } of commits.flatMap(({ mutations }) => mutations)) {
        copies.set(key, found(inner, namespace, [key])[0]);
        setImmediate(() => setImmediate(() => copies.delete(key)));
      }
      return inner.commit(namespace, commits);
    },
  };
}

/** An adapter that changes what watchers receive. */
function watched(
  change: (changes: readonly StoredChange[], count: number) => readonly StoredChange[],
): (clock: () => number) => Adapter {
  return over((inner) => {
    let count = 0;
    return {
      watch: (namespace, bounds, listener) =>
        inner.watch?.(namespace, bounds, (changes) => {
          count += 1;
          listener(change(changes, count));
        }) ?? (() => undefined),
    };
  });
}
