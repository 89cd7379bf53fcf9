import type { Store } from "@kv/core";
import type { Context } from "../suite/context.ts";

/** Separate stores over one backend: no program order holds between them. */
export function strangers({ open }: Pick<Context, "open">, count: number): Store[] {
  return Array.from({ length: count }, () => open().store);
}

/** Runs the work this many times on each store, all at once. */
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

/** Waits for this many turns of the event loop, so that others go first. */
export async function pause(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
