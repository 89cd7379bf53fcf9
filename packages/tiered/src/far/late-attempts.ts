import { type Adapter, type Check, forward, isPromise, Refusal } from "@kv/core";

/** The expected entry of each key in the far tier: its revision; `null`: absent; `undefined`: a revision never used before. */
export type Outlook = ReadonlyMap<string, string | null | undefined>;

/** A commit that has not ended, and may still take effect if its checks hold at that time. */
interface Attempt {
  readonly checks: ReadonlyMap<string, string | null>;
  /** The keys whose revision in the far tier is known to differ from the checked one, so that the commit is refused. */
  readonly guards: Set<string>;
}

/**
 * The commits of flushes that have not ended, including those given up on. A commit that takes effect late must not undo
 * a later flush, so one of its checks must fail by then. If a key is absent again, as it was when an attempt to create it
 * began, no check would fail.
 */
export class LateAttempts {
  readonly #underWay = new Map<string, Set<Attempt>>();

  /** The far tier for flushes. Its commits are tracked here until they end, even if the caller gives up on them. */
  over(far: Adapter): Adapter {
    return forward(far, {
      commit: (namespace, commits) => {
        const made = far.commit(namespace, commits);
        if (isPromise(made))
          this.#begin(
            namespace.id,
            commits.flatMap(({ checks }) => checks),
            made,
          );
        return made;
      },
    });
  }

  #begin(id: string, checks: readonly Check[], made: Promise<unknown>): void {
    const attempt = {
      checks: new Map(checks.map(({ key, revision }) => [key, revision])),
      guards: new Set<string>(),
    };
    const attempts = this.#underWay.get(id) ?? new Set();
    attempts.add(attempt);
    this.#underWay.set(id, attempts);
    const ended = () => {
      attempts.delete(attempt);
      if (attempts.size === 0 && this.#underWay.get(id) === attempts) this.#underWay.delete(id);
    };
    made.then(ended, ended);
  }

  /** @throws Refusal `KV_UNAVAILABLE` if an earlier attempt that was given up on could undo the next flush */
  assertHarmless(id: string, outlook: Outlook): void {
    for (const { checks, guards } of this.#underWay.get(id) ?? []) {
      const guarded =
        [...guards].some((key) => !outlook.has(key)) ||
        [...outlook].some(([key, next]) => differs(checks, key, next));
      if (guarded) continue;
      throw new Refusal(
        "KV_UNAVAILABLE",
        "the far tier has not answered an earlier flush, which could undo this one if it took effect later; it is tried again when the earlier one has ended",
        { retryable: true },
      );
    }
  }

  /** Records a flush that took effect. */
  brought(id: string, outlook: Outlook): void {
    for (const { checks, guards } of this.#underWay.get(id) ?? []) {
      for (const [key, next] of outlook) {
        if (differs(checks, key, next)) guards.add(key);
        else guards.delete(key);
      }
    }
  }
}

function differs(checks: Attempt["checks"], key: string, next: string | null | undefined): boolean {
  const checked = checks.get(key);
  return checked !== undefined && checked !== next;
}
