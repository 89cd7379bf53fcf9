export { memory } from "./adapter.ts";
export type { OnEvict } from "./evictions.ts";
export type { MemoryOptions } from "./options.ts";
export type { EvictReason } from "./recency.ts";
