export { memory } from "./adapter.ts";
export type { OnEvict } from "./limits/evictions.ts";
export type { EvictReason } from "./limits/recency.ts";
export type { MemoryOptions } from "./options.ts";
