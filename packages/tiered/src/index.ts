export { type TieredAdapter, tiered } from "./adapter.ts";
export type { TieredMetrics } from "./metrics.ts";
export type { TieredOptions } from "./options.ts";
