import type { Namespace, StoredEntry } from "@kv/core";
import { committed, over, pagesOf, relocating, scanning } from "./lens.ts";
import type { Mutant } from "./mutant.ts";

/** What a backend could do wrong with ranges, namespaces and clearing. */
export const rangedMutants: readonly Mutant[] = [
  {
    title: "sorts by UTF-16 units",
    caughtBy: "keys › U+FFFF comes before U+10000, as in UTF-8 and not as in UTF-16",
    adapter: scanning((page, { reverse }) => {
      const sorted = page.toSorted((a, b) => (a.key < b.key ? -1 : 1));
      return reverse ? sorted.reverse() : sorted;
    }),
  },
  {
    title: "sorts as people do",
    caughtBy: "keys › capital letters come before small ones, and digits are no numbers",
    adapter: scanning((page) => page.toSorted((a, b) => a.key.localeCompare(b.key, "en", { numeric: true }))),
  },
  {
    title: "knows no descending order",
    caughtBy: "ranges › keys, values and entries give the same range in key order",
    adapter: over((inner) => ({
      scan: (namespace, range) => inner.scan(namespace, { ...range, reverse: false }),
    })),
  },
  {
    title: "excludes the start of a range",
    caughtBy: "ranges › bounds are exclusive or inclusive as they say, and intersect",
    adapter: scanning((page, { start }) => page.filter(({ key }) => key !== start)),
  },
  {
    title: "includes the end of a range",
    caughtBy:
      "ranges › range includes its start, excludes its end, and without an end takes what begins with its start",
    adapter: over((inner) => ({
      scan: (namespace, range) =>
        inner.scan(namespace, range.end === undefined ? range : { ...range, end: `${range.end}\0` }),
    })),
  },
  {
    title: "forgets the last entry of every full page",
    caughtBy: "ranges › a scan longer than any page yields every key exactly once, in both directions",
    adapter: scanning((page) => (page.length > 200 ? page.slice(0, -1) : page)),
  },
  {
    title: "begins every page with the end of the one before",
    caughtBy: "ranges › a scan longer than any page yields every key exactly once, in both directions",
    adapter: over((inner) => ({
      *scan(namespace, range) {
        let last: readonly StoredEntry[] = [];
        for (const page of pagesOf(inner, namespace, range)) {
          yield [...last, ...page];
          last = page.slice(-1);
        }
      },
    })),
  },
  {
    title: "reads the whole range before it yields",
    caughtBy: "ranges › a scan holds a page and not the range: it reads no further than it is asked to",
    adapter: over((inner) => ({
      *scan(namespace, range) {
        yield [...pagesOf(inner, namespace, { ...range, limit: Number.POSITIVE_INFINITY })].flat();
      },
    })),
  },
  {
    title: "scans by position, so that deleting moves the rest",
    caughtBy:
      "ranges › a scan goes on when the entries it yielded, and those before it, are deleted meanwhile",
    adapter: over((inner) => ({
      *scan(namespace, range) {
        for (let at = 0; ; at += 100) {
          const all = [...pagesOf(inner, namespace, range)].flat();
          if (at >= all.length) return;
          yield all.slice(at, at + 100);
        }
      },
    })),
  },
  {
    title: "claims snapshots that it does not take",
    caughtBy: "ranges › a snapshot scan shows the state as of its first next, and nothing later",
    adapter: over((inner) => ({ capabilities: { ...inner.capabilities, snapshotScans: true } })),
  },
  {
    title: "counts the whole namespace",
    caughtBy: "ranges › bounds are exclusive or inclusive as they say, and intersect",
    adapter: over((inner) => ({
      count: (namespace) => inner.count(namespace, { start: "", end: undefined }),
    })),
  },
  {
    title: "clears the whole namespace",
    caughtBy: "ranges › clear of a selector removes what the selector names and nothing else",
    adapter: over((inner) => ({
      clear: (namespace, filter) => inner.clear(namespace, { ...filter, start: "", end: undefined }),
    })),
  },
  {
    title: "clears from a prefix on",
    caughtBy: "ranges › clear of a scope never touches a sibling scope: a beside ab, b, A and a key named a",
    adapter: over((inner) => ({
      clear: (namespace, filter) => inner.clear(namespace, { ...filter, end: undefined }),
    })),
  },
  {
    title: "tells nobody how many it cleared",
    caughtBy: "ranges › clear removes everything in the view and tells how many that were",
    adapter: over((inner) => ({
      clear: async (namespace, filter) => Math.min(1, await inner.clear(namespace, filter)),
    })),
  },
  {
    title: "clears the namespaces below along, unasked",
    caughtBy: "namespaces and scopes › a parent's keys, count and clear do not see its children",
    adapter: over((inner) => ({
      clear: (namespace, filter) => inner.clear(namespace, { ...filter, descendants: true }),
    })),
  },
  {
    title: "does not clear the namespaces below",
    caughtBy:
      "namespaces and scopes › clear({ namespaces: true }) takes all namespaces below along, and none beside",
    adapter: over((inner) => ({
      clear: (namespace, filter) => inner.clear(namespace, { ...filter, descendants: false }),
    })),
  },
  {
    title: "joins the segments of a path with a colon",
    caughtBy: "namespaces and scopes › any two different paths are isolated, whatever characters they hold",
    adapter: relocating((path) => path.join(":")),
  },
  {
    title: "joins the segments of a path with a slash, unescaped",
    caughtBy: "namespaces and scopes › any two different paths are isolated, whatever characters they hold",
    adapter: relocating((path) => path.join("/")),
  },
  {
    title: "knows no namespaces",
    caughtBy: "namespaces and scopes › a parent's keys, count and clear do not see its children",
    adapter: relocating(() => ""),
  },
  {
    title: "lists every namespace that ever had an entry",
    caughtBy:
      "namespaces and scopes › listNamespaces leaves out what holds no live entry: an empty one, a cleared one, and a mere ancestor",
    adapter: over((inner) => {
      const ever = new Map<string, Namespace>();
      return {
        commit: (namespace, commits) => {
          if (namespace.id !== "") ever.set(namespace.id, namespace);
          return committed(inner, namespace, commits);
        },
        namespaces: (under) => [
          [...ever.values()].filter(({ id }) => id !== under.id && id.startsWith(under.id)),
        ],
      };
    }),
  },
  {
    title: "lists ancestors that hold nothing",
    caughtBy:
      "namespaces and scopes › listNamespaces leaves out what holds no live entry: an empty one, a cleared one, and a mere ancestor",
    adapter: over((inner) => ({
      *namespaces(under) {
        for (const page of inner.namespaces(under) as Iterable<Namespace[]>) {
          yield page.flatMap((namespace) =>
            namespace.path.slice(under.path.length).map((_, depth) => ({
              ...namespace,
              path: namespace.path.slice(0, under.path.length + depth + 1),
            })),
          );
        }
      },
    })),
  },
  {
    title: "lists namespaces of the first level only",
    caughtBy:
      "namespaces and scopes › listNamespaces gives the paths below as segments, relative, sorted, each once, at any depth",
    adapter: over((inner) => ({
      *namespaces(under) {
        for (const page of inner.namespaces(under) as Iterable<Namespace[]>)
          yield page.filter(({ path }) => path.length === under.path.length + 1);
      },
    })),
  },
  {
    title: "forgets a namespace that a sweep finds empty, and loses what those write who remember it",
    caughtBy:
      "namespaces and scopes › a namespace that was emptied and swept is as good as new, also for views of it that were made before",
    adapter: over((inner) => {
      const known = new Map<string, Namespace>();
      const gone = new Set<string>();
      return {
        commit(namespace, commits) {
          known.set(namespace.id, namespace);
          return inner.commit(namespace, commits);
        },
        read: (namespace, keys) =>
          gone.has(namespace.id) ? keys.map(() => undefined) : inner.read(namespace, keys),
        sweep() {
          for (const [id, namespace] of known)
            if (id !== "" && inner.count(namespace, { start: "", end: undefined }) === 0) gone.add(id);
          return inner.sweep();
        },
      };
    }),
  },
];
