import { type Case, type Chapter, ordered } from "../suite/chapter.ts";
import { clearing } from "./ranges/clearing.ts";
import { paging } from "./ranges/pages.ts";
import { scans } from "./ranges/scans.ts";
import { selectors } from "./ranges/selectors.ts";
import { unordered } from "./ranges/unordered.ts";

const ofRanges = [...selectors, ...scans, ...paging].map(
  (each): Case => ({ ...each, requires: (abilities) => ordered(abilities) ?? each.requires?.(abilities) }),
);

export const ranges: Chapter = { title: "ranges", cases: [...ofRanges, ...unordered, ...clearing] };
