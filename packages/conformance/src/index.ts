export type { Harness, Setup, Through } from "./harness.ts";
export { type Variant, VIEWS, type Views } from "./views.ts";
export { describeConformance } from "./vitest.ts";
