import type { Chapter } from "../chapter.ts";
import { bytes } from "./bytes.ts";
import { codecs } from "./codecs.ts";
import { corruptEntries } from "./corrupt-entries.ts";
import { jsonRefusals, refusedWrites } from "./json-refusals.ts";
import { presenceAndEquality } from "./presence-and-equality.ts";

export const values: Chapter = {
  title: "values",
  cases: [...presenceAndEquality, ...jsonRefusals, ...refusedWrites, ...bytes, ...codecs, ...corruptEntries],
};
