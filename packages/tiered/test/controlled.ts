import { type Adapter, after, type ChangeListener, forward, type MaybePromise, Refusal } from "@kv/core";

/** A real adapter whose answers a test controls. */
export interface Controlled {
  readonly adapter: Adapter;
  /** The calls that reached it: "read", "commit", "watch others", … */
  readonly calls: string[];
  /** Whether reads and commits answer, fail before they take effect, fail afterwards, or never answer. */
  mode: "answer" | "fail" | "lose the answer" | "silent";
  /** Takes effect at once, but answers only when told to. `undefined`: answers. */
  held: (() => void)[] | undefined;
  /** Commits that `"silent"` swallowed, to be made late. */
  readonly swallowed: (() => MaybePromise<unknown>)[];
  /** Releases all answers that are held. */
  release(): void;
  /** Reports to all watchers. */
  readonly tell: ChangeListener;
  /** Whether watching fails; changes then reach no watcher. */
  watching: "answer" | "fail" | "deaf";
}

export function controlled(inner: Adapter): Controlled {
  const listeners = new Set<ChangeListener>();

  function answered<T>(name: string, run: () => MaybePromise<T>): MaybePromise<T> {
    control.calls.push(name);
    switch (control.mode) {
      case "fail":
        return Promise.reject(unavailable());
      case "lose the answer": {
        const result = run();
        return name === "commit" ? after(result, () => Promise.reject(unavailable())) : result;
      }
      case "silent":
        if (name === "commit") control.swallowed.push(run);
        return new Promise<T>(() => undefined);
      case "answer": {
        const result = run();
        const { held } = control;
        return held === undefined ? result : new Promise<T>((resolve) => held.push(() => resolve(result)));
      }
    }
  }

  const adapter = forward(inner, {
    read: (namespace, keys, payloadsOnly) =>
      answered("read", () => inner.read(namespace, keys, payloadsOnly)),
    commit: (namespace, commits) => answered("commit", () => inner.commit(namespace, commits)),
    count: (namespace, bounds) => answered("count", () => inner.count(namespace, bounds)),
    watch(namespace, bounds, listener, othersOnly) {
      control.calls.push(othersOnly === true ? "watch others" : "watch");
      if (control.watching === "fail") throw unavailable();
      listeners.add(listener);
      const end =
        control.watching === "deaf"
          ? () => undefined
          : inner.watch?.(namespace, bounds, listener, othersOnly);
      return async () => {
        listeners.delete(listener);
        (await end)?.();
      };
    },
  } satisfies Partial<Adapter>);

  const control: Controlled = {
    adapter,
    calls: [],
    mode: "answer",
    held: undefined,
    swallowed: [],
    release() {
      const { held } = control;
      control.held = undefined;
      for (const answer of held ?? []) answer();
    },
    tell(changes) {
      for (const listener of listeners) listener(changes);
    },
    watching: "answer",
  };
  return control;
}

export function unavailable(): Refusal {
  return new Refusal("KV_UNAVAILABLE", "the test makes the far tier unavailable");
}

/** Waits, with a limit, until it is so. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const since = performance.now(); performance.now() - since < 10_000; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`not so within ten seconds: ${String(holds)}`);
}
