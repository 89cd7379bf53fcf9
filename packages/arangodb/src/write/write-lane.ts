import { randomBytes } from "node:crypto";

/** A writer, which has one statement in progress at a time. */
export interface WriteLane {
  writer: string;
  /** The number of the last statement that took effect. */
  number: number;
  /** In the time of `monotonicNow()`; 0: not registered. */
  registeredUntil: number;
}

export function newLane(): WriteLane {
  return { writer: `writer-${randomBytes(12).toString("base64url")}`, number: 0, registeredUntil: 0 };
}
