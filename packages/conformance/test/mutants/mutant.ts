import type { Adapter, Store } from "@kv/core";
import { memory } from "@kv/memory";
import type { Harness, Setup } from "../../src/suite/harness.ts";

/** An adapter or a front that breaks one promise, and the case that must notice. */
export interface Mutant {
  readonly title: string;
  /** As in `time to live › an entry past its deadline reads as absent`. */
  readonly caughtBy: string;
  /** The broken adapter; the case can move its clock. */
  readonly adapter?: (clock: () => number) => Adapter;
  /** The broken methods of a store and of every view of it. */
  readonly front?: (healthy: Store) => Partial<Store>;
  /** A second adapter "over the same data". */
  readonly reopen?: (clock: () => number) => Adapter;
  /** A whole setup, instead of `adapter` and `reopen`. */
  readonly setup?: (clock: () => number) => Setup;
}

export function harnessOf({
  title,
  adapter = (clock) => memory({ clock }),
  reopen,
  setup,
}: Partial<Mutant>): Harness {
  return {
    name: title ?? "healthy",
    create() {
      let now = 1_790_000_000_000;
      const clock = (): number => now;
      const made = setup?.(clock) ?? {
        adapter: adapter(clock),
        ...(reopen === undefined ? {} : { reopen: () => reopen(clock) }),
      };
      return {
        ...made,
        clock: {
          advance(milliseconds) {
            now += milliseconds;
          },
        },
      };
    },
  };
}

const VIEWS: ReadonlySet<PropertyKey> = new Set(["namespace", "scope", "typed", "readonly"]);

/** A store with some methods replaced, also in all of its views. */
export function broken(store: Store, replaced: (healthy: Store) => Partial<Store>): Store {
  const replacements = replaced(store);
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(replacements, name)) return Reflect.get(replacements, name);
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      if (!VIEWS.has(name)) return member.bind(target);
      return (...args: unknown[]) => broken(Reflect.apply(member, target, args) as Store, replaced);
    },
  });
}
