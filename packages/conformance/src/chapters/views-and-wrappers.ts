import type { Chapter } from "../suite/chapter.ts";
import { readonlyViews } from "./views-and-wrappers/readonly-views.ts";
import { typedViews } from "./views-and-wrappers/typed-views.ts";

export const viewsAndWrappers: Chapter = {
  title: "views and wrappers",
  cases: [...typedViews, ...readonlyViews],
};
