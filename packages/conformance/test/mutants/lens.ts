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

/** One whose clock stands still for some methods: to them no deadline ever comes. */
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

/** An entry's fields by name: those of the memory adapter are getters, which a spread would not find. */
function plain(entry: StoredEntry): StoredEntry {
  const { key, payload, encoding, revision, createdAt, updatedAt, expiresAt, policy, user, size } = entry;
  return { key, payload, encoding, revision, createdAt, updatedAt, expiresAt, policy, user, size };
}

/** The memory adapter's pages, which it gives at once, of entries that can be spread. */
export function* pagesOf(
  inner: Adapter,
  namespace: Namespace,
  range: Range,
): Generator<readonly StoredEntry[]> {
  for (const page of inner.scan(namespace, range) as Iterable<readonly StoredEntry[]>) yield page.map(plain);
}

/** One that changes what is written. */
export function writing(change: (mutation: Mutation) => Mutation): (clock: Clock) => Adapter {
  return committing((commit) => ({ ...commit, mutations: commit.mutations.map(change) }));
}

/** One that changes whole commits. */
export function committing(change: (commit: Commit) => Commit): (clock: Clock) => Adapter {
  return over((inner) => ({ commit: (namespace, commits) => inner.commit(namespace, commits.map(change)) }));
}

/** One that changes what became of commits. */
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

/** The memory adapter's results, which it gives at once. */
export function committed(inner: Adapter, namespace: Namespace, commits: readonly Commit[]): CommitResult[] {
  return inner.commit(namespace, commits) as CommitResult[];
}

/** One that changes what is read, by key and by scan. */
export function reading(change: (entry: StoredEntry) => StoredEntry): (clock: Clock) => Adapter {
  return over((inner) => ({
    read: (namespace, keys) =>
      found(inner, namespace, keys).map((entry) => (entry === undefined ? undefined : change(entry))),
    *scan(namespace, range) {
      for (const page of pagesOf(inner, namespace, range)) yield page.map(change);
    },
  }));
}

/** The memory adapter's entries, which it gives at once, so that they can be spread. */
export function found(
  inner: Adapter,
  namespace: Namespace,
  keys: readonly string[],
): (StoredEntry | undefined)[] {
  const entries = inner.read(namespace, keys) as (StoredEntry | undefined)[];
  return entries.map((entry) => entry && plain(entry));
}

/** One that changes the order and number of what a scan yields. */
export function scanning(
  change: (page: readonly StoredEntry[], range: Range) => readonly StoredEntry[],
): (clock: Clock) => Adapter {
  return over((inner) => ({
    *scan(namespace, range) {
      for (const page of pagesOf(inner, namespace, range)) yield change(page, range);
    },
  }));
}

/** One that takes some keys for others. */
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

/** One that takes some namespaces for others. */
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
