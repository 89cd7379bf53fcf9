import type { Chapter } from "../chapter.ts";
import { readonlyViews } from "./readonly-views.ts";
import { typedViews } from "./typed-views.ts";

export const viewsAndWrappers: Chapter = {
  title: "views and wrappers",
  cases: [...typedViews, ...readonlyViews],
};
