import { addToNumber } from "../../adapter-parts/add-to-number.ts";
import { forward } from "../../adapter-parts/forward.ts";
import type { Adapter, Commit, CommitResult, Outcome } from "../../contract/adapter.ts";

/** An adapter in place of `inner` that is always empty: reads find nothing, writes are acknowledged and dropped. */
export function nothing(inner: Adapter): Adapter {
  let written = 0;

  function dropped({ checks, mutations }: Commit): CommitResult {
    const failed = checks.filter(({ revision }) => revision !== null).map(({ key }) => key);
    if (failed.length > 0) return { status: "conflict", failed: [...new Set(failed)] };
    const outcomes: Outcome[] = [];
    for (const mutation of mutations) {
      if (mutation.type === "delete" || mutation.type === "touch") {
        outcomes.push({ existed: false });
        continue;
      }
      const revision = `dropped-${++written}`;
      if (mutation.type === "set") outcomes.push({ revision });
      else {
        const value = addToNumber(undefined, mutation.by);
        if (value === undefined) return { status: "not-a-number", key: mutation.key };
        outcomes.push({ revision, value });
      }
    }
    return { status: "ok", outcomes };
  }

  return forward(inner, {
    capabilities: { ...inner.capabilities, persistent: false, linearizable: false },
    // Dropped writes need no server's time.
    syncClock: undefined,
    open: () => undefined,
    close: () => undefined,
    read: (_, keys) => keys.map(() => undefined),
    commit: (_, commits) => commits.map(dropped),
    scan: () => [],
    count: () => 0,
    clear: () => 0,
    namespaces: () => [],
    stats: () => ({ keys: 0, expiring: 0, evictable: 0, bytes: undefined, backend: {} }),
    sweep: () => 0,
    ...(inner.watch === undefined ? undefined : { watch: () => () => undefined }),
  });
}
