import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@kv/core";
import { isMomentary } from "./errors.ts";

/** Milliseconds that the first wait takes at most. */
const FIRST_MS = 2;
/** Milliseconds that any wait takes at most. */
const MOST_MS = 100;
/** How often something is tried at most, however short the waits were. */
const MOST_ATTEMPTS = 1000;

/** A result, or that somebody else came between: try again. */
export type Attempt<T> = { readonly done: T } | "again";

/**
 * Tries until nobody else comes between, for as long as `patience` milliseconds. Waits between two attempts grow and are
 * drawn by lot: of many that were in each other's way, few meet again.
 * @throws Refusal `KV_UNAVAILABLE` when the time is up; nothing was written then
 */
export async function untilUndisturbed<T>(patience: number, attempt: () => Promise<Attempt<T>>): Promise<T> {
  const end = performance.now() + patience;
  for (let attempts = 1; ; attempts++) {
    const outcome = await attempt().catch((error: unknown): Attempt<T> => {
      if (isMomentary(error)) return "again";
      throw error;
    });
    if (outcome !== "again") return outcome.done;
    if (performance.now() >= end || attempts === MOST_ATTEMPTS) {
      throw new Refusal(
        "KV_UNAVAILABLE",
        `others write the same keys all the time, and after ${attempts} attempts within ${patience} ms nothing was written`,
        { retryable: true },
      );
    }
    const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 10));
    await sleep(Math.random() * most);
  }
}
