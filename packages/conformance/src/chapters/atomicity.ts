import type { Chapter } from "../suite/chapter.ts";
import { atomic } from "./atomicity/atomic.ts";
import { overOnArrival } from "./atomicity/over-on-arrival.ts";
import { transactions } from "./atomicity/transactions.ts";

export const atomicity: Chapter = {
  title: "atomicity",
  cases: [...atomic, ...overOnArrival, ...transactions],
};
