import { forward } from "../adapter-parts/forward.ts";
import type { Adapter, MaybePromise } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";

/** How an adapter is opened and closed. */
export type Life = Pick<Adapter, "open" | "close">;

/** Opens and closes an adapter that several stores share: the first store opens it, the last closes it. */
class SharedLife implements Life {
  readonly #adapter: Adapter;
  #users = 0;
  #opening: MaybePromise<void> = undefined;
  #closing: Promise<void> | undefined;

  constructor(adapter: Adapter) {
    this.#adapter = adapter;
  }

  open(): MaybePromise<void> {
    this.#users++;
    if (this.#users > 1) return this.#opening;
    const closing = this.#closing;
    try {
      const opened = closing === undefined ? this.#adapter.open() : closing.then(() => this.#adapter.open());
      this.#opening = isPromise(opened) ? opened.catch((error: unknown) => this.#failed(error)) : opened;
    } catch (error) {
      this.#failed(error);
    }
    return this.#opening;
  }

  /** After a failed `open` the adapter has no users; the next one tries again. */
  #failed(error: unknown): never {
    this.#users = 0;
    this.#opening = undefined;
    throw error;
  }

  close(): MaybePromise<void> {
    this.#users--;
    if (this.#users > 0) return undefined;
    this.#opening = undefined;
    const closed = this.#adapter.close();
    if (!isPromise(closed)) return closed;
    const settled = () => {
      if (this.#closing === closing) this.#closing = undefined;
    };
    const closing = closed.then(settled, settled);
    this.#closing = closing;
    return closed;
  }
}

const REGISTRY = Symbol.for("@kv/core/adapter-lives");
const host = globalThis as { [REGISTRY]?: WeakMap<Adapter, Life> };

/** Shared by all copies of this package, so that stores of two copies over one adapter open and close it together. */
const LIVES: WeakMap<Adapter, Life> = host[REGISTRY] ?? new WeakMap<Adapter, Life>();
host[REGISTRY] = LIVES;

/** The shared opening and closing of an adapter, for each of its users: stores, and adapters over it. */
export function lifeOf(adapter: Adapter): Life {
  let life = LIVES.get(adapter);
  if (life === undefined) {
    life = new SharedLife(adapter);
    LIVES.set(adapter, life);
  }
  return life;
}

/** The adapter for a middleware, which opens and closes it as one of its users. */
export function shared(adapter: Adapter): Adapter {
  const life = lifeOf(adapter);
  const peek = adapter.peek?.bind(adapter);
  return forward(adapter, {
    open: () => life.open(),
    close: () => life.close(),
    ...(peek === undefined ? undefined : { peek }),
  });
}
