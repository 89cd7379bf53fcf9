export type How = "environment" | "container" | "binary";

/** A server that tests may write to. */
export interface Service {
  readonly url: string;
  readonly how: How;
  /** For reports: the server's version, and where it came from. */
  readonly describe: string;
  stop(): Promise<void>;
}

/** Why this server is missing here: the reason that a skipped test gives. */
export interface Missing {
  readonly reason: string;
  /** The way that failed, if only one was tried. */
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

/** The service of the first way that works; later ways are not tried. */
export async function firstOf(ways: readonly Way[]): Promise<Service | Missing> {
  const reasons: string[] = [];
  for (const way of ways) {
    const found = await way.start();
    if (!isMissing(found)) return found;
    reasons.push(found.reason);
  }
  return { reason: reasons.join("; ") };
}

/** The result of each way, in their order. */
export async function eachOf(ways: readonly Way[]): Promise<(Service | Missing)[]> {
  const all: (Service | Missing)[] = [];
  for (const { how, start } of ways) {
    const found = await start();
    all.push(isMissing(found) ? { how, reason: found.reason } : found);
  }
  return all;
}
