import { after, type Life, type MaybePromise, rescued } from "@kv/core";

/** Opens both tiers and runs `prepare`. If any step fails, neither tier stays open. */
export function openBoth(near: Life, far: Life, prepare: () => MaybePromise<unknown>): MaybePromise<void> {
  return after(near.open(), () =>
    closing(near, () => after(far.open(), () => closing(far, () => after(prepare(), () => undefined)))),
  );
}

/** Closes the tier if `next` fails. */
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

/** Closes the far tier even if closing the near one fails. */
export async function closeBoth(near: Life, far: Life): Promise<void> {
  try {
    await near.close();
  } finally {
    await far.close();
  }
}
