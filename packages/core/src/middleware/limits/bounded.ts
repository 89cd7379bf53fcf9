import { forward } from "../../adapter-parts/forward.ts";
import type { Adapter, Commit, Middleware, Mutation, Namespace, Range } from "../../contract/adapter.ts";
import { type Duration, milliseconds } from "../../contract/duration.ts";
import type { Refusal } from "../../contract/errors.ts";
import { ROOT } from "../../contract/namespace.ts";
import { after, rescued } from "../../runtime/maybe-promise.ts";
import { turn } from "../../runtime/platform.ts";
import { checkedOptions, functionOption, positiveInteger } from "../parts/middleware-options.ts";
import { capacityRefusal, commitOthers } from "../parts/refused-commits.ts";
import { BoundsLedger } from "./bounds-ledger.ts";
import { Eviction, type OnEvict } from "./eviction.ts";
import type { Known } from "./recency.ts";

export interface BoundedOptions {
  /** The most entries, over all namespaces: a positive integer. */
  readonly maxEntries: number;
  /**
   * The most bytes, over all namespaces: a positive integer. Key, payload (as its codec writes it) and user metadata
   * count, each as UTF-8. An entry that exceeds the limit alone is refused with `KV_CAPACITY`, and nothing of its
   * commit is written. Default: no limit.
   */
  readonly maxBytes?: number | undefined;
  /** The time to live of every entry that is written without a deadline. A number is seconds. Default: none. */
  readonly ttl?: Duration | undefined;
  /**
   * Called once for each entry that a limit evicts, after the write which caused it has taken effect. The key is the
   * backend's, scope prefix included; the value is decoded if it is bytes or was written by the codecs `json` or
   * `structured`, else it is the encoded payload. Not called for entries that expire or are deleted. Errors it throws
   * are reported as process warnings.
   */
  readonly onEvict?: OnEvict | undefined;
}

/**
 * Keeps any backend small: when a write exceeds a limit, the least recently used entries go, after those whose deadline
 * has come. Reads by key and writes count as uses, scans do not.
 *
 * The order of use is kept in this process: opening reads all entries, to begin with the order of their last writes,
 * and another process's entry counts once it is read here. Nothing is evicted before the first write.
 * @throws KvError `KV_INVALID_OPTION`, `KV_INVALID_TTL`
 */
export function bounded(options: BoundedOptions): Middleware {
  const { limits, ttl, onEvict } = checkedOptions(
    "bounded",
    ["maxEntries", "maxBytes", "ttl", "onEvict"],
    options,
    (given) => ({
      limits: {
        maxEntries: positiveInteger("maxEntries", given.maxEntries),
        maxBytes:
          given.maxBytes === undefined
            ? Number.POSITIVE_INFINITY
            : positiveInteger("maxBytes", given.maxBytes),
      },
      ttl: given.ttl === undefined ? undefined : milliseconds(given.ttl),
      onEvict: functionOption("onEvict", given.onEvict),
    }),
  );

  function refuseTooLarge(ledger: BoundsLedger): (commit: Commit) => Refusal | undefined {
    return (commit) => {
      const key = ledger.tooLargeIn(commit);
      if (key === undefined) return undefined;
      const message = `the entry alone exceeds maxBytes (${limits.maxBytes}); store less, or allow more`;
      return capacityRefusal(commit, key, message);
    };
  }

  return (inner) => {
    const ledger = new BoundsLedger(limits, inner);
    const eviction = new Eviction(inner, ledger, onEvict);
    const refuse = refuseTooLarge(ledger);
    return forward(inner, {
      // Writes that bypass this would not be counted.
      native: undefined,
      open: () =>
        after(inner.open(), () =>
          listed(inner, ledger).catch(async (error: unknown) => {
            await rescued(
              () => inner.close(),
              () => undefined,
            );
            throw error;
          }),
        ),
      close() {
        ledger.reset();
        return inner.close();
      },
      read(namespace, keys, payloadsOnly) {
        // Entries that are not tracked yet have to be read completely.
        const known = payloadsOnly === true && keys.every((key) => ledger.find(namespace, key) !== undefined);
        return after(inner.read(namespace, keys, known), (entries) => {
          for (const entry of entries) if (entry !== undefined) ledger.found(namespace, entry, !known);
          return entries;
        });
      },
      commit(namespace, commits) {
        const commitAll = (limited: readonly Commit[]) =>
          commitOthers(limited, refuse, (others) =>
            commitCounted(inner, ledger, eviction, namespace, others),
          );
        if (ttl === undefined) return commitAll(commits);
        return after(inner.syncClock?.(), () =>
          commitAll(withDeadlines(commits, namespace, ledger, inner.clock() + ttl)),
        );
      },
      clear: (namespace, filter) =>
        after(inner.clear(namespace, filter), (removed) => {
          ledger.cleared(namespace, filter);
          return removed;
        }),
    });
  };
}

function commitCounted(
  inner: Adapter,
  ledger: BoundsLedger,
  eviction: Eviction,
  namespace: Namespace,
  commits: readonly Commit[],
): ReturnType<Adapter["commit"]> {
  const made = rescued(
    () => inner.commit(namespace, commits),
    (error) => {
      // Entries of unknown outcome are counted; if one does not exist, its eviction will find out.
      for (const commit of commits) ledger.committed(namespace, commit, undefined);
      throw error;
    },
  );
  return after(made, (results) => {
    for (const [i, commit] of commits.entries()) {
      const result = results[i];
      if (result !== undefined) ledger.committed(namespace, commit, result);
    }
    return after(eviction.run(), () => results);
  });
}

/** Gives the deadline to every entry that would have none. */
function withDeadlines(
  commits: readonly Commit[],
  namespace: Namespace,
  ledger: BoundsLedger,
  deadline: number,
): Commit[] {
  function withDeadline(mutation: Mutation): Mutation {
    switch (mutation.type) {
      case "delete":
        return mutation;
      case "touch":
        return mutation.expiresAt === null ? { ...mutation, expiresAt: deadline } : mutation;
      case "increment":
        return { ...mutation, expiresAt: mutation.expiresAt ?? deadline };
      case "set": {
        // The entry may have no deadline to keep.
        const none =
          mutation.expiresAt === undefined ||
          (mutation.expiresAt === "keep" && ledger.find(namespace, mutation.key)?.expiresAt === undefined);
        return none ? { ...mutation, expiresAt: deadline } : mutation;
      }
    }
  }
  return commits.map(({ checks, mutations }) => ({ checks, mutations: mutations.map(withDeadline) }));
}

const EVERYTHING: Range = {
  start: "",
  end: undefined,
  reverse: false,
  limit: Number.POSITIVE_INFINITY,
  keysOnly: false,
};

/** Enters all existing entries, in the order of their last writes. */
async function listed(inner: Adapter, ledger: BoundsLedger): Promise<void> {
  const namespaces: Namespace[] = [ROOT];
  for await (const page of inner.namespaces(ROOT)) namespaces.push(...page);
  const found: {
    readonly namespace: Namespace;
    readonly key: string;
    readonly at: number;
    readonly known: Known;
  }[] = [];
  for (const namespace of namespaces) {
    for await (const page of inner.scan(namespace, EVERYTHING)) {
      for (const entry of page) {
        found.push({ namespace, key: entry.key, at: entry.updatedAt, known: ledger.known(entry) });
      }
      // A driver that answers synchronously must not block the event loop until the last page.
      await turn();
    }
  }
  ledger.reset();
  for (const { namespace, key, known } of found.sort((a, b) => a.at - b.at))
    ledger.present(namespace, key, known);
}
