import { after, type Life, type MaybePromise, rescued } from "@kv/core";

/** Opens the tiers and runs what is to be done with the near one. Whatever fails, nothing stays open. */
export function openBoth(near: Life, far: Life, prepare: () => MaybePromise<unknown>): MaybePromise<void> {
  return after(near.open(), () =>
    closing(near, () => after(far.open(), () => closing(far, () => after(prepare(), () => undefined)))),
  );
}

/** Closes the tier where `next` fails. */
function closing(tier: Life, next: () => MaybePromise<void>): MaybePromise<void> {
  return rescued(next, (error) => {
    const closed = rescued(
      () => tier.close(),
      () => undefined,
    );
    return after(closed, () => {
      throw error;
    });
  });
}

/** The far tier is closed even where the near one cannot be. */
export async function closeBoth(near: Life, far: Life): Promise<void> {
  try {
    await near.close();
  } finally {
    await far.close();
  }
}
