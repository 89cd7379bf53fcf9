import type { Adapter } from "@kv/core";
import { BehindAdapter } from "./behind/behind-adapter.ts";
import type { TieredMetrics } from "./metrics.ts";
import { settingsOf, type TieredOptions } from "./options.ts";
import { ThroughAdapter } from "./through-adapter.ts";

export interface TieredAdapter extends Adapter {
  /** As of now. */
  readonly metrics: TieredMetrics;
  /**
   * Resolves when everything that was acknowledged before the call is in the far tier.
   * @throws KvError with the code of what keeps it from getting there; it stays queued, and is tried again
   */
  flush(): Promise<void>;
}

/**
 * Two adapters as one: a near tier that answers first, over a far tier that has everything.
 * @throws KvError `KV_INVALID_OPTION`, `KV_INVALID_TTL`; `KV_UNSUPPORTED` for write-behind over a far tier of partitions, or with a
 *   near one that persists
 */
export function tiered(options: TieredOptions): TieredAdapter {
  const settings = settingsOf(options);
  return settings.behind === undefined
    ? new ThroughAdapter(settings)
    : new BehindAdapter(settings, settings.behind);
}
