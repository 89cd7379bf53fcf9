import type { Chapter } from "../chapter.ts";
import { deadlines } from "./deadlines.ts";
import { expiry } from "./expiry.ts";

export const timeToLive: Chapter = { title: "time to live", cases: [...deadlines, ...expiry] };
