/**
 * What a proxy does to the connections that go through it.
 *
 * Bytes are lost as TCP loses them: never a piece out of the middle. A connection that has swallowed anything stays silent
 * for good, also after `heal`, until one side gives it up: later answers would be taken for answers to earlier requests.
 * New connections follow the fault that is set when they are made.
 */
export type Fault =
  | { readonly kind: "none" }
  /** Everything is delayed by this much in each direction: a round trip takes twice as much. */
  | { readonly kind: "latency"; readonly milliseconds: number }
  /** Connections are accepted and stay open, and nothing passes in either direction. */
  | { readonly kind: "half-open" }
  /** The server receives requests, but its answers are swallowed: they took effect without the client's knowledge. */
  | { readonly kind: "drop-answers" }
  /** Connections are reset: existing ones now, new ones as soon as they are accepted. */
  | { readonly kind: "reset" }
  /** Nothing listens, and existing connections are reset: the server's process is gone. */
  | { readonly kind: "refuse" };

export const none: Fault = { kind: "none" };
