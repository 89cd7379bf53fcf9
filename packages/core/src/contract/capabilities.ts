/**
 * What a backend promises beyond the common contract. Flags, not optional methods: a wrapper forwards every method, so
 * the presence of a method proves nothing. Calls that need a capability not declared here are refused with
 * `KV_UNSUPPORTED` before anything is written, and the conformance suite asserts the refusal.
 */
export interface Capabilities {
  /** Acknowledged writes survive the process. */
  readonly persistent: boolean;
  /** Several processes may have the same data open. */
  readonly shared: boolean;
  /** Ranges, prefixes, pages and counts come in key order at a cost that follows the result. */
  readonly ordered: boolean;
  /** A scan shows one state of the data, taken no later than its first `next()`. */
  readonly snapshotScans: boolean;
  /**
   * The extent within which a commit or transaction of several keys is atomic: the whole namespace, or the keys that
   * the adapter keeps in one partition of it. A commit across partitions is refused. A commit on a single key is always
   * atomic.
   */
  readonly atomic: "namespace" | "partition";
  /** Operations on one key are linearizable among all clients of the backend. */
  readonly linearizable: boolean;
  /** Whose writes `watch` reports: none (there is no `watch`), this process's, every process's. */
  readonly watch: false | "local" | "shared";
}
