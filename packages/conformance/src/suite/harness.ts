import type { Adapter, Codec, MaybePromise, Middleware } from "@kv/core";
import type { Views } from "./views.ts";

/** What one case works with: fresh, empty, and used by nothing else. */
export interface Setup {
  readonly adapter: Adapter;
  /** Another adapter over the same data, for cases about restarts and several processes. */
  reopen?(): MaybePromise<Adapter>;
  /**
   * Copies the data while no adapter has them open, and returns a function that puts the copy in their place, for cases
   * about restores.
   */
  backup?(): MaybePromise<() => MaybePromise<void>>;
  /** Moves the adapter's clock, if it can be set. Without it, cases about time wait in real time. */
  readonly clock?: { advance(milliseconds: number): void };
  /** Called after the adapters were closed. */
  dispose?(): MaybePromise<void>;
}

/** How the suite makes an adapter, and which ways it runs it in. */
export interface Harness {
  /** The adapter's name, with which every title begins. */
  readonly name: string;
  /** Called for every case. */
  create(): MaybePromise<Setup>;
  /** Resolves once every earlier write has reached every watcher. Default: after 25 ms. */
  settle?(): Promise<void>;
  /**
   * For an adapter whose `capabilities.atomic` is `"partition"`: a scope whose keys are all in one partition. The whole
   * suite runs through it again, and cases that commit several keys run only there.
   */
  readonly together?: string;
  /**
   * Which views of the store the suite runs through. `"each"` (the default): the store itself, a scope, a namespace.
   * `"nested"`: the store itself, and a scope inside a namespace, in two thirds of the time. `"root"`: only the store
   * itself, for a first look at an adapter.
   */
  readonly views?: Views;
  /** Middleware through which the whole suite runs again. */
  readonly through?: readonly Through[];
  /** Codecs with which the whole suite runs again, except for the cases about `json`. */
  readonly codecs?: readonly Codec[];
  /** Full titles of cases that are known to fail, with the reason. One that passes, or is no case's title, is a failure. */
  readonly deviations?: Readonly<Record<string, string>>;
}

export interface Through {
  /** As in `sqlite through a cache`. */
  readonly title: string;
  readonly wrap: Middleware;
}
