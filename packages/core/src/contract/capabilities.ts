/**
 * What a backend promises beyond the contract's common ground. Flags, not optional methods: a wrapper forwards every
 * method, so the presence of one proves nothing. What is not declared here is refused with `KV_UNSUPPORTED` before
 * anything is written, and the conformance suite asserts the refusal.
 */
export interface Capabilities {
  /** Acknowledged writes survive the process. */
  readonly persistent: boolean;
  /** Several processes may have the same data open. */
  readonly shared: boolean;
  /** Ranges, prefixes, pages and counts come in key order at a cost that follows the result. */
  readonly ordered: boolean;
  /** A scan shows one state: the one at the latest as of its first `next()`. */
  readonly snapshotScans: boolean;
  /**
   * Within what a commit or transaction of several keys is atomic: the whole namespace, or the keys that the adapter
   * keeps in one partition of it. One across partitions is refused. What concerns a single key always is.
   */
  readonly atomic: "namespace" | "partition";
  /** Operations on one key are linearizable among everybody who uses the backend. */
  readonly linearizable: boolean;
  /** Whose writes `watch` sees: nobody's, this process's, every process's. */
  readonly watch: false | "local" | "shared";
}
