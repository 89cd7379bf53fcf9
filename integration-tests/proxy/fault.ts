/**
 * What a proxy does to the connections that go through it.
 *
 * What is lost here is lost as TCP loses it: never a piece out of the middle. A connection that has swallowed anything
 * stays silent for good, also after `heal`, until one side gives it up; answers that came later would be taken for
 * the answers to earlier questions. New connections are as the fault of their time says.
 */
export type Fault =
  | { readonly kind: "none" }
  /** Everything arrives so much later, each way: a round trip takes twice that. */
  | { readonly kind: "latency"; readonly milliseconds: number }
  /** Connections are accepted and stay open, and nothing goes through, either way. */
  | { readonly kind: "half-open" }
  /** The server gets the requests, its answers are swallowed: what was asked for has happened, and nobody knows. */
  | { readonly kind: "drop-answers" }
  /** Connections are reset: those that exist now, new ones as soon as they are accepted. */
  | { readonly kind: "reset" }
  /** Nobody listens, and the connections that exist are reset: the server's process is gone. */
  | { readonly kind: "refuse" };

export const none: Fault = { kind: "none" };
