import {
  type Adapter,
  after,
  type Bounds,
  type ChangeListener,
  type MaybePromise,
  type Namespace,
  rescued,
} from "@kv/core";
import type { BehindSession } from "./behind-session.ts";

/**
 * Reports writes when they are acknowledged, and keys that expire in the far tier unless they were rewritten since.
 * `entries`: the far tier, with entries as they were acknowledged.
 */
export function watchBehind(
  session: BehindSession,
  entries: Adapter,
  namespace: Namespace,
  bounds: Bounds,
  listener: ChangeListener,
): MaybePromise<() => void> {
  const expired = async (key: string): Promise<void> => {
    const told = await session.hasExpired(namespace, key).catch(() => undefined);
    if (told === false) return;
    listener([told === undefined ? { type: "resync" } : { type: "expire", key }]);
  };
  const end = session.watchers.add(namespace, bounds, listener);
  const begun = rescued(
    () =>
      entries.watch?.(namespace, bounds, (changes) => {
        for (const change of changes) {
          if (change.type === "resync") listener([change]);
          else void expired(change.key);
        }
      }) ?? (() => undefined),
    (error) => {
      end();
      throw error;
    },
  );
  const leave = (unwatch: () => void) => () => {
    end();
    unwatch();
  };
  // A batch in progress may have begun before this watcher was added and then is not reported, but no read has seen it yet.
  return after(begun, (unwatch) => after(session.writes.settled(), () => leave(unwatch)));
}
