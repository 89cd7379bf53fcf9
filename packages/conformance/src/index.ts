export type { Harness, Setup, Through } from "./harness.ts";
export { STANDARD_VIEWS, type Variant } from "./views.ts";
export { describeConformance } from "./vitest.ts";
