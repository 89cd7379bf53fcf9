import type { Chapter } from "../suite/chapter.ts";
import { bytes } from "./values/bytes.ts";
import { checkedValues } from "./values/checked-values.ts";
import { codecs } from "./values/codecs.ts";
import { corruptEntries } from "./values/corrupt-entries.ts";
import { jsonRefusals, refusedWrites } from "./values/json-refusals.ts";
import { otherRealms } from "./values/other-realms.ts";
import { presenceAndEquality } from "./values/presence-and-equality.ts";

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
