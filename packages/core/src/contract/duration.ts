import { Refusal } from "./errors.ts";

/** Units of a duration, longest first. */
export interface DurationObject {
  readonly weeks?: number | undefined;
  readonly days?: number | undefined;
  readonly hours?: number | undefined;
  readonly minutes?: number | undefined;
  readonly seconds?: number | undefined;
  readonly milliseconds?: number | undefined;
}

type Unit = "ms" | "s" | "m" | "h" | "d" | "w";

/**
 * A span of time: a number of **seconds** (fractions allowed), a number with its unit (`"250ms"`, `"90s"`, `"5m"`,
 * `"24h"`, `"7d"`, `"2w"`), or the parts of one (`{ hours: 2, minutes: 30 }`). Always longer than zero.
 */
export type Duration = number | `${number}${Unit}` | DurationObject;

const UNITS: Readonly<Record<Unit, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
const PARTS: Readonly<Record<keyof DurationObject, number>> = {
  weeks: UNITS.w,
  days: UNITS.d,
  hours: UNITS.h,
  minutes: UNITS.m,
  seconds: UNITS.s,
  milliseconds: UNITS.ms,
};
/** The last moment a `Date` can hold. */
export const MAX_TIME = 8.64e15;
const TEXT = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/;
const HELP =
  'give seconds as a number, a text such as "90s", "5m", "24h" or "7d", or parts such as { hours: 2 }';

/** A duration in milliseconds. @throws Refusal `KV_INVALID_TTL` */
export function milliseconds(duration: Duration): number {
  const ms = safeTotal(duration);
  if (!(ms > 0) || ms > MAX_TIME)
    throw new Refusal("KV_INVALID_TTL", `${shown(duration)} is not a valid duration: ${HELP}`);
  // Deadlines are whole milliseconds; a shorter duration is rounded up to one.
  return Math.max(1, Math.round(ms));
}

/** `NaN` if the duration cannot be read. */
function safeTotal(duration: unknown): number {
  try {
    return total(duration);
  } catch {
    return Number.NaN;
  }
}

function total(duration: unknown): number {
  if (typeof duration === "number") return duration * 1e3;
  if (typeof duration === "string") {
    const match = TEXT.exec(duration);
    return match === null ? Number.NaN : Number(match[1]) * UNITS[match[2] as Unit];
  }
  if (typeof duration !== "object" || duration === null) return Number.NaN;
  let sum = 0;
  for (const [part, amount] of Object.entries(duration)) {
    if (amount === undefined) continue;
    // Negative parts are mistakes even if the sum is positive.
    if (!Object.hasOwn(PARTS, part) || typeof amount !== "number" || !(amount >= 0)) return Number.NaN;
    sum += amount * PARTS[part as keyof DurationObject];
  }
  return sum;
}

function shown(duration: unknown): string {
  if (typeof duration === "string") return JSON.stringify(duration);
  if (typeof duration !== "object" || duration === null) return String(duration);
  try {
    return JSON.stringify(duration) ?? "this";
  } catch {
    return "this";
  }
}
