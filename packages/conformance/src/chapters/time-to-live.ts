import type { Chapter } from "../chapter.ts";
import { deadlines } from "./deadlines.ts";
import { expiry } from "./expiry.ts";
import { serverDeadlines } from "./server-deadlines.ts";

export const timeToLive: Chapter = {
  title: "time to live",
  cases: [...deadlines, ...expiry, ...serverDeadlines],
};
