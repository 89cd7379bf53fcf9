export type How = "environment" | "container" | "binary";

/** A server that tests may write to. */
export interface Service {
  readonly url: string;
  readonly how: How;
  /** For people: the server's version, and where it came from. */
  readonly describe: string;
  stop(): Promise<void>;
}

/** There is no such server here, and why: what a skipped test gives as its reason. */
export interface Missing {
  readonly reason: string;
  /** Which way it was that led nowhere, where just one was gone. */
  readonly how?: How;
}

export function isMissing(found: object): found is Missing {
  return "reason" in found;
}

/** One way to a service. */
export interface Way {
  readonly how: How;
  start(): Promise<Service | Missing>;
}

/** The service that the first way to lead anywhere leads to; ways after it are not tried. */
export async function firstOf(ways: readonly Way[]): Promise<Service | Missing> {
  const reasons: string[] = [];
  for (const way of ways) {
    const found = await way.start();
    if (!isMissing(found)) return found;
    reasons.push(found.reason);
  }
  return { reason: reasons.join("; ") };
}

/** What each way leads to, in their order. */
export async function eachOf(ways: readonly Way[]): Promise<(Service | Missing)[]> {
  const all: (Service | Missing)[] = [];
  for (const { how, start } of ways) {
    const found = await start();
    all.push(isMissing(found) ? { how, reason: found.reason } : found);
  }
  return all;
}
