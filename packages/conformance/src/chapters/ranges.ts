import type { Chapter } from "../chapter.ts";
import { clearing } from "./clearing.ts";
import { paging } from "./pages.ts";
import { scans } from "./scans.ts";
import { selectors } from "./selectors.ts";

export const ranges: Chapter = { title: "ranges", cases: [...selectors, ...scans, ...paging, ...clearing] };
