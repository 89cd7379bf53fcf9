import type { Chapter } from "../suite/chapter.ts";
import { deadlines } from "./time-to-live/deadlines.ts";
import { expiry } from "./time-to-live/expiry.ts";
import { serverDeadlines } from "./time-to-live/server-deadlines.ts";

export const timeToLive: Chapter = {
  title: "time to live",
  cases: [...deadlines, ...expiry, ...serverDeadlines],
};
