import type { StoreConfig } from "@kv/config";

/** A store that the tour goes through. */
export interface Stop {
  readonly title: string;
  readonly config: StoreConfig;
  /** Removes the data of an earlier tour. */
  readonly forget: () => void | Promise<void>;
  /** Removes the data of this tour, if they may not stay. */
  readonly leave?: () => Promise<void>;
}
