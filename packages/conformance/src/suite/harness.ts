import type { Adapter, Codec, MaybePromise, Middleware } from "@kv/core";
import type { Views } from "./views.ts";

/** What one case works with: fresh, empty, and nobody else's. */
export interface Setup {
  readonly adapter: Adapter;
  /** Another adapter over the same data: for what must survive a restart or be seen by several processes. */
  reopen?(): MaybePromise<Adapter>;
  /**
   * Copies the data, which no adapter has open, and returns a function that puts the copy in their place: for what must hold
   * after a restore.
   */
  backup?(): MaybePromise<() => MaybePromise<void>>;
  /** Moves the adapter's clock, where that can be set. Without it the cases wait in real time. */
  readonly clock?: { advance(milliseconds: number): void };
  /** Called after the adapters were closed. */
  dispose?(): MaybePromise<void>;
}

/** How the suite gets at an adapter. */
export interface Harness {
  /** The adapter's name, as the titles begin. */
  readonly name: string;
  /** Called for every case. */
  create(): MaybePromise<Setup>;
  /** Resolves once what was written so far has reached every watcher. Default: 25 ms later. */
  settle?(): Promise<void>;
  /**
   * For an adapter whose `capabilities.atomic` is `"partition"`: a scope whose keys are in one partition. The whole suite
   * runs through it as well, and commits of several keys only there.
   */
  readonly together?: string;
  /**
   * Which views of the store the suite runs through. `"each"` (the default): the store itself, a scope, a namespace.
   * `"nested"`: the store itself, and a scope inside a namespace, which is two thirds of the time. `"root"`: the store
   * itself alone, for a first look at an adapter.
   */
  readonly views?: Views;
  /** Middleware that the whole suite runs through as well. */
  readonly through?: readonly Through[];
  /** Further codecs in which the whole suite runs as well, but for the cases that are about `json`. */
  readonly codecs?: readonly Codec[];
  /** Full titles of cases that are known to fail, with the reason. One that passes, or names no case, is a failure. */
  readonly deviations?: Readonly<Record<string, string>>;
}

export interface Through {
  /** As in `sqlite through a cache`. */
  readonly title: string;
  readonly wrap: Middleware;
}
