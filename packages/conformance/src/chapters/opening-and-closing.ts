import type { Chapter } from "../suite/chapter.ts";
import { closing } from "./opening-and-closing/closing.ts";
import { opening } from "./opening-and-closing/opening.ts";

export const openingAndClosing: Chapter = {
  title: "opening and closing",
  cases: [...opening, ...closing],
};
