import type { Adapter } from "@kv/core";
import type { TieredMetrics } from "./metrics.ts";
import { settingsOf, type TieredOptions } from "./options.ts";
import { ThroughAdapter } from "./through-adapter.ts";

export interface TieredAdapter extends Adapter {
  /** As of now. */
  readonly metrics: TieredMetrics;
  /** Resolves when everything that was acknowledged before the call is in the far tier. */
  flush(): Promise<void>;
}

/**
 * Two adapters as one: a near tier that answers first, over a far tier that has everything.
 * @throws KvError `KV_INVALID_OPTION`, `KV_INVALID_TTL`
 */
export function tiered(options: TieredOptions): TieredAdapter {
  return new ThroughAdapter(settingsOf(options));
}
