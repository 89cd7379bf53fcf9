import type { Chapter } from "../suite/chapter.ts";
import { anyOrder } from "./reading-and-writing/any-order.ts";
import { conditionalWrites } from "./reading-and-writing/conditional-writes.ts";
import { increments } from "./reading-and-writing/increments.ts";
import { options, signals } from "./reading-and-writing/options.ts";
import { programOrder } from "./reading-and-writing/program-order.ts";
import { metadata, reading } from "./reading-and-writing/reading.ts";
import { writing } from "./reading-and-writing/writing.ts";

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
