/** A server that a group needs, there for as long as the group is measured. */
export interface Backend {
  /** Empties it, so that earlier measurements do not affect later ones. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** Why the server is missing, so that a group must be left out. */
export interface NoBackend {
  readonly leftOut: string;
}
