import { type Case, type Chapter, ordered } from "../chapter.ts";
import { clearing } from "./clearing.ts";
import { paging } from "./pages.ts";
import { scans } from "./scans.ts";
import { selectors } from "./selectors.ts";
import { unordered } from "./unordered.ts";

const ofRanges = [...selectors, ...scans, ...paging].map(
  (each): Case => ({ ...each, requires: (abilities) => ordered(abilities) ?? each.requires?.(abilities) }),
);

export const ranges: Chapter = { title: "ranges", cases: [...ofRanges, ...unordered, ...clearing] };
