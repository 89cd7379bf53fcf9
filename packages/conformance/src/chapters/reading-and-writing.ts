import type { Chapter } from "../chapter.ts";
import { anyOrder } from "./any-order.ts";
import { conditionalWrites } from "./conditional-writes.ts";
import { increments } from "./increments.ts";
import { options, signals } from "./options.ts";
import { programOrder } from "./program-order.ts";
import { metadata, reading } from "./reading.ts";
import { writing } from "./writing.ts";

export const readingAndWriting: Chapter = {
  title: "reading and writing",
  cases: [
    ...reading,
    ...metadata,
    ...writing,
    ...conditionalWrites,
    ...increments,
    ...options,
    ...signals,
    ...programOrder,
    ...anyOrder,
  ],
};
