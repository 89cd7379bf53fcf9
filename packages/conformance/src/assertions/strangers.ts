import type { Store } from "@kv/core";
import type { Context } from "../suite/context.ts";

/** Stores that know nothing of one another, over one backend: no program order helps them. */
export function strangers({ open }: Pick<Context, "open">, count: number): Store[] {
  return Array.from({ length: count }, () => open().store);
}

/** Each of them does the work so often, all at once. */
export async function everyone(
  stores: readonly Store[],
  times: number,
  work: (store: Store, id: string) => Promise<unknown>,
): Promise<unknown[]> {
  return Promise.all(
    stores.flatMap((store, position) =>
      Array.from({ length: times }, (_, time) => work(store, `${position}.${time}`)),
    ),
  );
}

/** Lets others go first, for as long as the schedule says. */
export async function pause(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
