import type { Adapter } from "@kv/core";
import { BehindAdapter } from "./behind/behind-adapter.ts";
import type { TieredMetrics } from "./metrics.ts";
import { settingsOf, type TieredOptions } from "./options.ts";
import { ThroughAdapter } from "./through-adapter.ts";

export interface TieredAdapter extends Adapter {
  /** As of now. */
  readonly metrics: TieredMetrics;
  /**
   * Resolves when every change acknowledged before the call is in the far tier.
   * @throws KvError with the code of the failed flush; the changes stay queued and are tried again
   */
  flush(): Promise<void>;
}

/**
 * Two adapters as one: a near tier that answers first, over a far tier that has everything.
 * @throws KvError `KV_INVALID_OPTION`, `KV_INVALID_TTL`; `KV_UNSUPPORTED` for write-behind if the far tier, or a persistent
 *   near tier, keeps a namespace in partitions
 */
export function tiered(options: TieredOptions): TieredAdapter {
  const settings = settingsOf(options);
  return settings.behind === undefined
    ? new ThroughAdapter(settings)
    : new BehindAdapter(settings, settings.behind);
}
