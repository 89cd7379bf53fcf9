import { type Adapter, type Check, forward, isPromise, Refusal } from "@kv/core";

/** What a key's entry in the far tier will be: its revision, `null`: absent, `undefined`: another one than ever before. */
export type Outlook = ReadonlyMap<string, string | null | undefined>;

/** A commit that has not ended, and may yet take effect if what it checks is so then. */
interface Attempt {
  readonly checks: ReadonlyMap<string, string | null>;
  /** The keys of which the far tier is known to have another revision than the one that is checked. */
  readonly guards: Set<string>;
}

/**
 * The commits of flushes that have not ended, although they may have been given up. One that takes effect late must not
 * undo what was brought since; so each has to be refused, by a check that does not hold any more. Where a key is absent
 * again, as it was when an attempt to create it was begun, nothing would refuse that.
 */
export class LateAttempts {
  readonly #underWay = new Map<string, Set<Attempt>>();

  /** The far tier for flushes: what its commits become is known here, whoever gives them up. */
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

  /** @throws Refusal where an attempt that was given up could undo what is to be brought */
  assertHarmless(id: string, outlook: Outlook): void {
    for (const { checks, guards } of this.#underWay.get(id) ?? []) {
      const guarded =
        [...guards].some((key) => !outlook.has(key)) ||
        [...outlook].some(([key, next]) => differs(checks, key, next));
      if (guarded) continue;
      throw new Refusal(
        "KV_UNAVAILABLE",
        "the far tier has not answered an earlier attempt, which could undo this one if it took effect after it",
        { retryable: true },
      );
    }
  }

  /** It was brought. */
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
