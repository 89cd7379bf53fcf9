import type { StoreConfig } from "@kv/config";

/** A store that the tour goes through. */
export interface Stop {
  readonly title: string;
  readonly config: StoreConfig;
  /** Removes what an earlier tour left. */
  readonly forget: () => void | Promise<void>;
  /** Removes what this tour left, where it may not stay. */
  readonly leave?: () => Promise<void>;
}
