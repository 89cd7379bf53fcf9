import type { Mutation } from "@kv/core";
import { answering, committing, found, over, reading, renaming, writing } from "./lens.ts";
import type { Mutant } from "./mutant.ts";

/** What a backend could do wrong with single entries: keys, values, revisions, metadata. */
export const storedMutants: readonly Mutant[] = [
  {
    title: "takes keys that differ in case for one",
    caughtBy:
      "keys › NFC and NFD, upper and lower case, and what a collation or number format takes for equal are different keys",
    adapter: renaming((key) => key.toLowerCase()),
  },
  {
    title: "normalizes keys to NFC",
    caughtBy:
      "keys › NFC and NFD, upper and lower case, and what a collation or number format takes for equal are different keys",
    adapter: renaming((key) => key.normalize("NFC")),
  },
  {
    title: "ends keys at a NUL",
    caughtBy: "keys › every well-formed string is a key and means itself",
    adapter: renaming((key) => key.split("\0")[0] || "empty"),
  },
  {
    title: "trims keys",
    caughtBy: "keys › every well-formed string is a key and means itself",
    adapter: renaming((key) => key.trim() || "empty"),
  },
  {
    title: "truncates keys to 255 bytes",
    caughtBy: "keys › a key of exactly 1,024 UTF-8 bytes is accepted everywhere, the scope's prefix counted",
    adapter: renaming((key) => key.slice(0, 255)),
  },
  {
    title: "takes text that looks like a number for one",
    caughtBy: "values › a string that looks like another value stays a string, and a number a number",
    adapter: reading((entry) =>
      /^\d+$/.test(String(entry.payload)) ? { ...entry, payload: Number(entry.payload) } : entry,
    ),
  },
  {
    title: "keeps numbers as 32-bit floats",
    caughtBy: "values › what is read is deeply equal to what was written",
    adapter: reading((entry) =>
      typeof entry.payload === "number" ? { ...entry, payload: Math.fround(entry.payload) } : entry,
    ),
  },
  {
    title: "drops own properties named __proto__",
    caughtBy: "values › an own property named __proto__ is kept and pollutes nothing",
    adapter: reading((entry) => ({ ...entry, payload: withoutProto(entry.payload) })),
  },
  {
    title: "keeps bytes as text",
    caughtBy: "values › a Uint8Array is stored as bytes and reads back as Uint8Array (codec json)",
    adapter: reading((entry) =>
      entry.payload instanceof Uint8Array
        ? { ...entry, payload: new TextEncoder().encode(new TextDecoder().decode(entry.payload)) }
        : entry,
    ),
  },
  {
    title: "forgets which codec wrote an entry",
    caughtBy: "values › changing the codec leaves old entries readable: json to structured",
    adapter: reading((entry) => ({
      ...entry,
      encoding: entry.encoding === "json" ? "structured" : entry.encoding,
    })),
  },
  {
    title: "answers every key once, however often it was asked for",
    caughtBy:
      "reading and writing › getMany is aligned with its keys, absent ones and repeated ones included",
    adapter: over((inner) => ({ read: (namespace, keys) => inner.read(namespace, [...new Set(keys)]) })),
  },
  {
    title: "leaves absent keys out of its answer",
    caughtBy:
      "reading and writing › getMany is aligned with its keys, absent ones and repeated ones included",
    adapter: over((inner) => ({
      read: (namespace, keys) => found(inner, namespace, keys).filter((entry) => entry !== undefined),
    })),
  },
  {
    title: "reads no more than 500 keys",
    caughtBy: "reading and writing › getMany of a thousand keys answers for every one",
    adapter: over((inner) => ({ read: (namespace, keys) => inner.read(namespace, keys.slice(0, 500)) })),
  },
  {
    title: "makes revisions of the value",
    caughtBy:
      "reading and writing › the revision differs after every write of the key, of an equal value, too",
    adapter: over((inner) => ({
      read: (namespace, keys) =>
        found(inner, namespace, keys).map(
          (entry) => entry && { ...entry, revision: JSON.stringify(entry.payload) },
        ),
    })),
  },
  {
    title: "counts revisions by key, from 1 again after a delete",
    caughtBy:
      "reading and writing › the revision differs after every write of the key, of an equal value, too",
    adapter: over((inner) => {
      const counts = new Map<string, number>();
      return {
        commit: async (namespace, commits) => {
          const results = await inner.commit(namespace, commits);
          for (const mutation of commits.flatMap(({ mutations }) => mutations)) {
            counts.set(mutation.key, mutation.type === "delete" ? 0 : (counts.get(mutation.key) ?? 0) + 1);
          }
          return results.map((result, position) =>
            result.status === "ok"
              ? {
                  ...result,
                  outcomes: result.outcomes.map((outcome, at) =>
                    "revision" in outcome
                      ? {
                          ...outcome,
                          revision: String(counts.get(commits[position]?.mutations[at]?.key ?? "")),
                        }
                      : outcome,
                  ),
                }
              : result,
          );
        },
        read: (namespace, keys) =>
          found(inner, namespace, keys).map(
            (entry) => entry && { ...entry, revision: String(counts.get(entry.key)) },
          ),
      };
    }),
  },
  {
    title: "takes every write for a creation",
    caughtBy: "reading and writing › createdAt stays, and updatedAt follows every write",
    adapter: reading((entry) => ({ ...entry, createdAt: entry.updatedAt })),
  },
  {
    title: "never moves updatedAt",
    caughtBy: "reading and writing › createdAt stays, and updatedAt follows every write",
    adapter: reading((entry) => ({ ...entry, updatedAt: entry.createdAt })),
  },
  {
    title: "notes every read as an access in updatedAt",
    caughtBy: "reading and writing › reading never changes metadata",
    adapter: over((inner) => ({
      read: (namespace, keys) =>
        found(inner, namespace, keys).map((entry) => entry && { ...entry, updatedAt: inner.clock() }),
    })),
  },
  {
    title: "keeps no user metadata",
    caughtBy: "reading and writing › user metadata is kept beside the value, and an empty one is one",
    adapter: writing((mutation) => ("user" in mutation ? { ...mutation, user: undefined } : mutation)),
  },
  {
    title: "merges a set into what was there",
    caughtBy: "reading and writing › set replaces value, user metadata, policy and TTL as a whole",
    adapter: writing((mutation) =>
      mutation.type === "set" && mutation.expiresAt === undefined
        ? { ...mutation, expiresAt: "keep" }
        : mutation,
    ),
  },
  {
    title: "keeps everything as evictable",
    caughtBy: "eviction policy › the policy is persist unless evict was asked for",
    adapter: writing((mutation) => (mutation.type === "set" ? { ...mutation, policy: "evict" } : mutation)),
  },
  {
    title: "applies a batch backwards",
    caughtBy: "reading and writing › of one key twice in setMany the last one stays, and each has a revision",
    adapter: over((inner) => ({
      commit: async (namespace, commits) =>
        (await inner.commit(namespace, commits.toReversed())).toReversed(),
    })),
  },
  {
    title: "says of every delete that the key existed",
    caughtBy: "reading and writing › delete tells whether the key existed, and deleteMany how many did",
    adapter: answering((result) =>
      result.status === "ok"
        ? {
            ...result,
            outcomes: result.outcomes.map((outcome) =>
              "existed" in outcome ? { ...outcome, existed: true } : outcome,
            ),
          }
        : result,
    ),
  },
  {
    title: "takes a number in text for a number to increment",
    caughtBy: "reading and writing › incrementing what is no number is KV_INVALID_VALUE and changes nothing",
    adapter: over((inner) => ({
      commit: async (namespace, commits) => {
        for (const { mutations } of commits) {
          for (const { type, key } of mutations) {
            const [entry] = found(inner, namespace, [key]);
            if (type !== "increment" || typeof entry?.payload !== "string") continue;
            const number = { ...entry, type: "set", payload: Number(entry.payload) || 0 } as Mutation;
            await inner.commit(namespace, [{ checks: [], mutations: [number] }]);
          }
        }
        return inner.commit(namespace, commits);
      },
    })),
  },
  {
    title: "adds in integers",
    caughtBy: "reading and writing › increment adds fractions, and to a number that was set",
    adapter: committing((commit) => ({
      ...commit,
      mutations: commit.mutations.map((mutation) =>
        mutation.type === "increment" ? { ...mutation, by: Math.trunc(mutation.by) } : mutation,
      ),
    })),
  },
];

function withoutProto(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(withoutProto);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== "__proto__")
      .map(([name, item]) => [name, withoutProto(item)]),
  );
}
