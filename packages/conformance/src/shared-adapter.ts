import { type Adapter, forward, isPromise, type MaybePromise } from "@kv/core";

/**
 * Lets several stores use one adapter: the first opens it, the last closes it. A case can then look at the same data
 * with other options, even if a backend keeps data only while it is open.
 */
export function sharedAdapter(inner: Adapter): Adapter {
  let users = 0;
  let opening: MaybePromise<void>;

  return forward(inner, {
    open() {
      if (users === 0) opening = inner.open();
      users += 1;
      if (!isPromise(opening)) return undefined;
      return opening.catch((error: unknown) => {
        // No store uses an adapter that failed to open, and the next store tries again.
        users = 0;
        throw error;
      });
    },
    close() {
      users -= 1;
      return users === 0 ? inner.close() : undefined;
    },
  });
}
