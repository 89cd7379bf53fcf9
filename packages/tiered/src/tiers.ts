import { type Adapter, after, type MaybePromise, rescued } from "@kv/core";

/** Opens the tiers and runs what is to be done with the near one. Whatever fails, nothing stays open. */
export function openBoth(
  near: Adapter,
  far: Adapter,
  prepare: () => MaybePromise<unknown>,
): MaybePromise<void> {
  return after(near.open(), () =>
    closing(near, () => after(far.open(), () => closing(far, () => after(prepare(), () => undefined)))),
  );
}

/** Closes the adapter where `next` fails. */
function closing(adapter: Adapter, next: () => MaybePromise<void>): MaybePromise<void> {
  return rescued(next, (error) => {
    const closed = rescued(
      () => adapter.close(),
      () => undefined,
    );
    return after(closed, () => {
      throw error;
    });
  });
}

/** The far tier is closed even where the near one cannot be. */
export async function closeBoth(near: Adapter, far: Adapter): Promise<void> {
  try {
    await near.close();
  } finally {
    await far.close();
  }
}
