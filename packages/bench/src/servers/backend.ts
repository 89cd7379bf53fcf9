/** A server that a group needs, there for as long as the group is measured. */
export interface Backend {
  /** Empties it, so that what was measured before is not in the way of what comes next. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** Why there is none, so that a group has to be left out. */
export interface NoBackend {
  readonly leftOut: string;
}
