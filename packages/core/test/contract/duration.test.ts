import { type Duration, KvError, milliseconds, Refusal } from "@kv/core";
import { describe, expect, it } from "vitest";

describe("durations", () => {
  it.each<[Duration, number]>([
    [1, 1000],
    [0.25, 250],
    [0.0001, 1],
    ["250ms", 250],
    ["90s", 90_000],
    ["1.5m", 90_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["2w", 1_209_600_000],
    [{ hours: 2, minutes: 30 }, 9_000_000],
    [{ days: 1, milliseconds: 1, seconds: undefined }, 86_400_001],
    [60 * 60 * 24 * 365, 31_536_000_000],
  ])("%j is %d ms", (duration, ms) => {
    expect(milliseconds(duration)).toBe(ms);
  });

  it.each([
    0,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    true,
    "5",
    "",
    "5 minutes",
    "-5m",
    "1e3s",
    "0s",
    {},
    { hours: -1, days: 1 },
    { years: 1 },
    { hours: "2" },
    [],
    null,
    undefined,
    1e300,
  ])("%j is none", (duration) => {
    let thrown: unknown;
    try {
      milliseconds(duration as Duration);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Refusal);
    expect(thrown).toMatchObject({ code: "KV_INVALID_TTL" });
    expect(thrown).not.toBeInstanceOf(KvError);
  });
});
