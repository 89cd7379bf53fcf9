import type { Adapter, Commit, CommitResult, Mutation, Namespace, Range, StoredEntry } from "@kv/core";
import { forward } from "@kv/core";
import { memory } from "@kv/memory";

type Clock = () => number;

/** Ways to break a healthy adapter with a few words. */

/** A memory adapter with some methods replaced. */
export function over(replaced: (inner: Adapter) => Partial<Adapter>): (clock: Clock) => Adapter {
  return (clock) => {
    const inner = memory({ clock });
    return forward(inner, replaced(inner));
  };
}

/** An adapter whose clock stands still for some methods, which therefore see no deadline pass. */
export function timelessFor(
  ...methods: ("read" | "commit" | "scan" | "count" | "namespaces" | "clear")[]
): (clock: Clock) => Adapter {
  return (clock) => {
    let timeless = false;
    const beginning = clock();
    const inner = memory({ clock: () => (timeless ? beginning : clock()) });
    function frozen<T>(run: () => T): T {
      timeless = true;
      try {
        return run();
      } finally {
        timeless = false;
      }
    }
    return forward(inner, {
      clock,
      read: (...args) => (methods.includes("read") ? frozen(() => inner.read(...args)) : inner.read(...args)),
      commit: (...args) =>
        methods.includes("commit") ? frozen(() => inner.commit(...args)) : inner.commit(...args),
      scan: (...args) =>
        methods.includes("scan") ? frozen(() => [...pagesOf(inner, ...args)]) : inner.scan(...args),
      count: (...args) =>
        methods.includes("count") ? frozen(() => inner.count(...args)) : inner.count(...args),
      clear: (...args) =>
        methods.includes("clear") ? frozen(() => inner.clear(...args)) : inner.clear(...args),
      namespaces: (under) =>
        methods.includes("namespaces")
          ? frozen(() => [...(inner.namespaces(under) as Iterable<Namespace[]>)])
          : inner.namespaces(under),
    });
  };
}

/** An entry's fields as own properties: the memory adapter's are getters, which a spread would miss. */
function plain(entry: StoredEntry): StoredEntry {
  const { key, payload, encoding, revision, createdAt, updatedAt, expiresAt, policy, user, size } = entry;
  return { key, payload, encoding, revision, createdAt, updatedAt, expiresAt, policy, user, size };
}

/** The memory adapter's pages, which it returns synchronously, with entries that can be spread. */
export function* pagesOf(
  inner: Adapter,
  namespace: Namespace,
  range: Range,
): Generator<readonly StoredEntry[]> {
  for (const page of inner.scan(namespace, range) as Iterable<readonly StoredEntry[]>) yield page.map(plain);
}

/** An adapter that changes mutations. */
export function writing(change: (mutation: Mutation) => Mutation): (clock: Clock) => Adapter {
  return committing((commit) => ({ ...commit, mutations: commit.mutations.map(change) }));
}

/** An adapter that changes whole commits. */
export function committing(change: (commit: Commit) => Commit): (clock: Clock) => Adapter {
  return over((inner) => ({ commit: (namespace, commits) => inner.commit(namespace, commits.map(change)) }));
}

/** An adapter that changes the results of commits. */
export function answering(
  change: (result: CommitResult, commit: Commit) => CommitResult,
): (clock: Clock) => Adapter {
  return over((inner) => ({
    commit: (namespace, commits) =>
      committed(inner, namespace, commits).map((result, position) =>
        change(result, commits[position] ?? { checks: [], mutations: [] }),
      ),
  }));
}

/** The memory adapter's results, which it returns synchronously. */
export function committed(inner: Adapter, namespace: Namespace, commits: readonly Commit[]): CommitResult[] {
  return inner.commit(namespace, commits) as CommitResult[];
}

/** An adapter that changes entries as they are read, by key and by scan. */
export function reading(change: (entry: StoredEntry) => StoredEntry): (clock: Clock) => Adapter {
  return over((inner) => ({
    read: (namespace, keys) =>
      found(inner, namespace, keys).map((entry) => (entry === undefined ? undefined : change(entry))),
    *scan(namespace, range) {
      for (const page of pagesOf(inner, namespace, range)) yield page.map(change);
    },
  }));
}

/** The memory adapter's entries, which it returns synchronously, as objects that can be spread. */
export function found(
  inner: Adapter,
  namespace: Namespace,
  keys: readonly string[],
): (StoredEntry | undefined)[] {
  const entries = inner.read(namespace, keys) as (StoredEntry | undefined)[];
  return entries.map((entry) => entry && plain(entry));
}

/** An adapter that changes the order and number of a scan's entries. */
export function scanning(
  change: (page: readonly StoredEntry[], range: Range) => readonly StoredEntry[],
): (clock: Clock) => Adapter {
  return over((inner) => ({
    *scan(namespace, range) {
      for (const page of pagesOf(inner, namespace, range)) yield change(page, range);
    },
  }));
}

/** An adapter that confuses some keys. */
export function renaming(rename: (key: string) => string): (clock: Clock) => Adapter {
  return over((inner) => ({
    read: (namespace, keys) => inner.read(namespace, keys.map(rename)),
    commit: (namespace, commits) =>
      inner.commit(
        namespace,
        commits.map(({ checks, mutations }) => ({
          checks: checks.map((check) => ({ ...check, key: rename(check.key) })),
          mutations: mutations.map((mutation) => ({ ...mutation, key: rename(mutation.key) })),
        })),
      ),
  }));
}

/** An adapter that confuses some namespaces. */
export function relocating(idOf: (path: readonly string[]) => string): (clock: Clock) => Adapter {
  const moved = ({ path }: Namespace): Namespace => ({ path, id: idOf(path) });
  return over((inner) => ({
    read: (namespace, keys) => inner.read(moved(namespace), keys),
    commit: (namespace, commits) => inner.commit(moved(namespace), commits),
    scan: (namespace, range) => inner.scan(moved(namespace), range),
    count: (namespace, bounds) => inner.count(moved(namespace), bounds),
    clear: (namespace, filter) => inner.clear(moved(namespace), filter),
  }));
}
