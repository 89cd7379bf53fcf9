export type { Harness, Setup, Through } from "./suite/harness.ts";
export { type Variant, VIEWS, type Views } from "./suite/views.ts";
export { describeConformance } from "./vitest.ts";
