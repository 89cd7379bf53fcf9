import type { Chapter } from "../chapter.ts";
import { atomic } from "./atomic.ts";
import { overOnArrival } from "./over-on-arrival.ts";
import { transactions } from "./transactions.ts";

export const atomicity: Chapter = {
  title: "atomicity",
  cases: [...atomic, ...overOnArrival, ...transactions],
};
