import type { Adapter, Mutation, Namespace } from "@kv/core";
import { forward, milliseconds, viewAccess } from "@kv/core";
import { memory } from "@kv/memory";
import { answering, committing, found, over, timelessFor, writing } from "./lens.ts";
import type { Mutant } from "./mutant.ts";

/** What a backend could do wrong with deadlines and policies. */
export const timedMutants: readonly Mutant[] = [
  {
    title: "reads expired entries until they are swept",
    caughtBy:
      "time to live › an entry before its deadline is there, and one past its deadline reads as absent",
    adapter: timelessFor("read"),
  },
  {
    title: "scans expired entries",
    caughtBy: "time to live › an expired entry is absent for scans, ranges, pages, count and stats",
    adapter: timelessFor("scan"),
  },
  {
    title: "counts expired entries",
    caughtBy: "time to live › an expired entry is absent for scans, ranges, pages, count and stats",
    adapter: timelessFor("count"),
  },
  {
    title: "has expired entries in its statistics",
    caughtBy: "time to live › an expired entry is absent for scans, ranges, pages, count and stats",
    adapter: over((inner) => {
      const written = new Set<string>();
      return {
        commit: (namespace, commits) => {
          for (const { key } of commits.flatMap(({ mutations }) => mutations)) written.add(key);
          return inner.commit(namespace, commits);
        },
        stats: async (namespace, bounds) => ({
          ...(await inner.stats(namespace, bounds)),
          keys: written.size,
        }),
      };
    }),
  },
  {
    title: "lists namespaces of expired entries",
    caughtBy: "time to live › a namespace whose entries have all expired is not listed",
    adapter: timelessFor("namespaces"),
  },
  {
    title: "counts expired entries among those it cleared",
    caughtBy:
      "time to live › an expired entry is absent for delete, deleteMany, clear, clearCache, updateTtl and updatePolicy",
    adapter: timelessFor("clear"),
  },
  {
    title: "takes an expired entry for there when it commits",
    caughtBy: "time to live › an expired entry is absent for create, increment, replace, update and take",
    adapter: timelessFor("commit"),
  },
  {
    title: "checks revisions of expired entries",
    caughtBy: "time to live › an expired entry is absent for checks: null holds, and its revision does not",
    adapter: timelessFor("commit"),
  },
  {
    // Ten minutes behind the backend's clock, and without a `syncClock` for which the front would wait.
    title: "computes deadlines by another clock until it is open",
    caughtBy:
      "time to live › an entry before its deadline is there, and one past its deadline reads as absent",
    adapter: (clock) => {
      const inner = memory({ clock });
      let isOpen = false;
      return forward(inner, {
        clock: () => (isOpen ? clock() : clock() - 600_000),
        open: async () => {
          await inner.open();
          isOpen = true;
        },
      });
    },
  },
  {
    title: "is one millisecond late",
    caughtBy:
      "time to live › an entry is there until the millisecond before its deadline, and absent from the deadline on",
    adapter: (clock) => forward(memory({ clock: () => clock() - 1 }), { clock }),
  },
  {
    title: "keeps deadlines in whole seconds",
    caughtBy:
      "time to live › a ttl is seconds, a text with a unit, or parts, and the deadline is absolute to the millisecond",
    adapter: writing((mutation) =>
      mutation.type === "set" && typeof mutation.expiresAt === "number"
        ? { ...mutation, expiresAt: Math.ceil(mutation.expiresAt / 1000) * 1000 }
        : mutation,
    ),
  },
  {
    title: "holds no deadline further away than a timer reaches",
    caughtBy: "time to live › a deadline further away than 24.8 days is kept as it is, and not reached early",
    adapter: (clock) => writing((mutation) => deadlineAtMost(mutation, clock() + 2 ** 31 - 1))(clock),
  },
  {
    title: "does not know keepTtl",
    caughtBy: "time to live › a set without a ttl clears an earlier one, and keepTtl keeps it",
    adapter: writing((mutation) =>
      mutation.type === "set" && mutation.expiresAt === "keep"
        ? { ...mutation, expiresAt: undefined }
        : mutation,
    ),
  },
  {
    title: "loses the deadline of what it increments",
    caughtBy: "time to live › increment keeps an existing TTL",
    adapter: over((inner) => ({
      commit: async (namespace, commits) => {
        const results = await inner.commit(namespace, commits);
        const counted = commits
          .flatMap(({ mutations }) => mutations)
          .filter(({ type }) => type === "increment");
        const forever = counted.map(
          ({ key }): Mutation => ({ type: "touch", key, expiresAt: null, policy: undefined }),
        );
        await inner.commit(namespace, [{ checks: [], mutations: forever }]);
        return results;
      },
    })),
  },
  {
    title: "adds to a number that was over on arrival",
    caughtBy: "atomicity › an increment after a set that is over on arrival counts from nothing, under json",
    adapter: committing(({ checks, mutations }) => ({
      checks,
      mutations: mutations.map((mutation, place) => {
        const next = mutations[place + 1];
        return mutation.type === "set" && next?.type === "increment" && next.key === mutation.key
          ? { ...mutation, expiresAt: undefined }
          : mutation;
      }),
    })),
  },
  {
    title: "drops what follows a set that is over on arrival",
    caughtBy:
      "atomicity › an increment after a set that is over on arrival counts from nothing, under structured",
    adapter: committing(({ checks, mutations }) => ({
      checks,
      mutations: mutations.map((mutation) => {
        const over = mutations.some(
          (other) => other.type === "set" && other.key === mutation.key && other.expiresAt === 1,
        );
        return over && mutation.type === "set" ? { ...mutation, expiresAt: 1 } : mutation;
      }),
    })),
  },
  {
    title: "writes where it should only touch",
    caughtBy: "time to live › updateTtl is no write: value, revision, times, policy and user metadata stay",
    adapter: over((inner) => ({
      commit: (namespace, commits) =>
        inner.commit(
          namespace,
          commits.map((commit) => ({
            ...commit,
            mutations: commit.mutations.map((mutation) => rewritten(mutation, inner, namespace)),
          })),
        ),
    })),
  },
  {
    title: "loses the deadline when the policy changes",
    caughtBy:
      "model › any sequence of operations gives what a plain sorted map with revisions and deadlines gives",
    adapter: writing((mutation) =>
      mutation.type === "touch" && mutation.policy !== undefined
        ? { ...mutation, expiresAt: null }
        : mutation,
    ),
  },
  {
    title: "says of every touch that the key existed",
    caughtBy: "time to live › updateTtl sets a new deadline, or none, and tells whether the key existed",
    adapter: answering((result, { mutations }) =>
      result.status === "ok" && mutations[0]?.type === "touch"
        ? { ...result, outcomes: [{ existed: true }] }
        : result,
    ),
  },
  {
    title: "sweeps what once had a deadline, rewritten or not",
    caughtBy:
      "time to live › a sweep never removes an entry that was rewritten, or given more time, meanwhile",
    adapter: (clock) => {
      const inner = memory({ clock });
      const due: { namespace: Namespace; key: string; at: number }[] = [];
      return forward(inner, {
        commit: (namespace, commits) => {
          for (const mutation of commits.flatMap(({ mutations }) => mutations)) {
            if (mutation.type === "set" && typeof mutation.expiresAt === "number")
              due.push({ namespace, key: mutation.key, at: mutation.expiresAt });
          }
          return inner.commit(namespace, commits);
        },
        sweep: async () => {
          for (const { namespace, key, at } of due)
            if (at <= clock())
              await inner.commit(namespace, [{ checks: [], mutations: [{ type: "delete", key }] }]);
          return 0;
        },
      });
    },
  },
  {
    title: "says of every sweep that there was nothing",
    caughtBy: "time to live › sweep removes what has expired, tells how much that was, and leaves the rest",
    adapter: over((inner) => ({ sweep: async () => 0 * (await inner.sweep()) })),
  },
  {
    title: "clears the cache and everything else",
    caughtBy: "eviction policy › clearCache removes the evictable entries and no others, and tells how many",
    adapter: over((inner) => ({
      clear: (namespace, filter) => inner.clear(namespace, { ...filter, policy: undefined }),
    })),
  },
  {
    title: "clears the cache of the whole namespace from within a scope",
    caughtBy: "eviction policy › clearCache removes of this namespace and scope only",
    adapter: over((inner) => ({
      clear: (namespace, filter) =>
        inner.clear(
          namespace,
          filter.policy === undefined ? filter : { ...filter, start: "", end: undefined },
        ),
    })),
  },
  {
    title: "has statistics of the namespace where those of a scope were asked for",
    caughtBy: "eviction policy › stats counts keys, expiring and evictable ones of this view",
    adapter: over((inner) => ({
      stats: (namespace) => inner.stats(namespace, { start: "", end: undefined }),
    })),
  },
  {
    title: "computes a deadline by a clock that was not measured yet",
    caughtBy:
      "time to live › a deadline is by the adapter's clock as it is once it was measured, also for the calls of the first tick",
    front: (store) => ({
      set: (key, value, options) => {
        const { ttl, ...others } = options ?? {};
        if (ttl === undefined || ttl === null) return store.set(key, value, options);
        const expiresAt = viewAccess(store).adapter.clock() + milliseconds(ttl);
        return store.set(key, value, { ...others, expiresAt });
      },
    }),
  },
];

function deadlineAtMost(mutation: Mutation, most: number): Mutation {
  if (mutation.type !== "set" || typeof mutation.expiresAt !== "number") return mutation;
  return { ...mutation, expiresAt: Math.min(mutation.expiresAt, most) };
}

function rewritten(mutation: Mutation, inner: Adapter, namespace: Namespace): Mutation {
  if (mutation.type !== "touch") return mutation;
  const [entry] = found(inner, namespace, [mutation.key]);
  return entry === undefined
    ? mutation
    : { ...entry, type: "set", expiresAt: mutation.expiresAt ?? undefined };
}
