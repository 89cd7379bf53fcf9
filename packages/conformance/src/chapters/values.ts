import type { Chapter } from "../chapter.ts";
import { bytes } from "./bytes.ts";
import { checkedValues } from "./checked-values.ts";
import { codecs } from "./codecs.ts";
import { corruptEntries } from "./corrupt-entries.ts";
import { jsonRefusals, refusedWrites } from "./json-refusals.ts";
import { otherRealms } from "./other-realms.ts";
import { presenceAndEquality } from "./presence-and-equality.ts";

export const values: Chapter = {
  title: "values",
  cases: [
    ...presenceAndEquality,
    ...jsonRefusals,
    ...refusedWrites,
    ...checkedValues,
    ...otherRealms,
    ...bytes,
    ...codecs,
    ...corruptEntries,
  ],
};
