import type { Chapter } from "../chapter.ts";
import { closing } from "./closing.ts";
import { opening } from "./opening.ts";

export const openingAndClosing: Chapter = {
  title: "opening and closing",
  cases: [...opening, ...closing],
};
