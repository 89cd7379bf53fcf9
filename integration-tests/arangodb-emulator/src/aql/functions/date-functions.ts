import type { Json } from "../../json.ts";
import type { Run } from "../run.ts";
import { type Family, fn } from "./definition.ts";

/** The last millisecond that a date can say. */
const latest = 8.64e15;

/** Milliseconds of a number or an ISO date without a zone in UTC. */
function timestampOf(value: Json, run: Run): number | null {
  if (typeof value === "number" && Math.abs(value) <= latest) return value;
  if (typeof value === "string" && /^\d{4}(-\d{1,2}){0,2}/.test(value)) {
    const hasZone = /([Zz]|[+-]\d{2}:?\d{2})$/.test(value) || !value.includes("T");
    const parsed = Date.parse(hasZone ? value : `${value}Z`);
    if (!Number.isNaN(parsed)) return parsed;
  }
  run.warn("invalidDate", "invalid date value");
  return null;
}

export const dateFunctions: Family = {
  /** Milliseconds since 1970: one number for the whole query, since calls of constants are made when it is optimized. */
  DATE_NOW: fn(0, 0, (_values, run) => run.now),
  DATE_TIMESTAMP: fn(1, 1, ([value = null], run) => timestampOf(value, run)),
  DATE_ISO8601: fn(1, 1, ([value = null], run) => {
    const milliseconds = timestampOf(value, run);
    return milliseconds === null ? null : new Date(milliseconds).toISOString();
  }),
  IS_DATESTRING: fn(
    1,
    1,
    ([value = null]) =>
      typeof value === "string" && /^\d{4}-\d{2}-\d{2}/.test(value) && !Number.isNaN(Date.parse(value)),
  ),
};
