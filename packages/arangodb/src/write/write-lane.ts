import { randomBytes } from "node:crypto";

/** A writer, which has one statement under way at a time. */
export interface WriteLane {
  writer: string;
  /** Of the last statement that took effect. */
  number: number;
  /** By `monotonicNow()`; 0: it is not registered. */
  registeredUntil: number;
}

export function newLane(): WriteLane {
  return { writer: `writer-${randomBytes(12).toString("base64url")}`, number: 0, registeredUntil: 0 };
}
