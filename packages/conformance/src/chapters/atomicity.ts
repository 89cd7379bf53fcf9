import type { Chapter } from "../chapter.ts";
import { atomic } from "./atomic.ts";
import { transactions } from "./transactions.ts";

export const atomicity: Chapter = { title: "atomicity", cases: [...atomic, ...transactions] };
