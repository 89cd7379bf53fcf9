import type { Deadline } from "../adapter-parts/deadline.ts";
import type { Policy } from "../contract/adapter.ts";
import { dateTime, isArray } from "../contract/any-realm.ts";
import { type Duration, MAX_TIME, milliseconds } from "../contract/duration.ts";
import { Refusal } from "../contract/errors.ts";
import { shown } from "../contract/shown.ts";
import type { SetOptions } from "../contract/store.ts";
import { checkedText } from "../values/json-value.ts";
import { refuseAborted } from "./signal.ts";
import { refuseUnknownOptions } from "./unknown-options.ts";

/** What a write stores beside the value. */
export interface Envelope {
  readonly expiresAt: Deadline | "keep" | undefined;
  readonly policy: Policy;
  /** JSON text. */
  readonly user: string | undefined;
}

export interface InitialEnvelope extends Envelope {
  readonly expiresAt: Deadline | undefined;
}

const WITHOUT_KEEP = ["ttl", "expiresAt", "policy", "metadata", "signal"] as const;
export const CREATE_OPTIONS: ReadonlySet<string> = new Set(WITHOUT_KEEP);
export const SET_OPTIONS: ReadonlySet<string> = new Set([...WITHOUT_KEEP, "keepTtl"]);
export const SET_CACHE_OPTIONS: ReadonlySet<string> = new Set([
  "ttl",
  "expiresAt",
  "metadata",
  "signal",
  "keepTtl",
]);
export const REPLACE_OPTIONS: ReadonlySet<string> = new Set([...SET_OPTIONS, "revision"]);
export const UPDATE_OPTIONS: ReadonlySet<string> = new Set([...SET_OPTIONS, "attempts"]);

const PLAIN: Envelope = { expiresAt: undefined, policy: "persist", user: undefined };

/**
 * The envelope that the options of a write describe. @throws Refusal `KV_INVALID_OPTION`, `KV_INVALID_TTL`,
 * `KV_INVALID_VALUE`, `KV_ABORTED`
 */
export function envelope(
  options: SetOptions | undefined,
  known: ReadonlySet<string>,
  of: string,
  defaultTtl: number | undefined,
  deadline: (ttl: number) => Deadline,
): Envelope {
  if (options === undefined) {
    return defaultTtl === undefined ? PLAIN : { ...PLAIN, expiresAt: deadline(defaultTtl) };
  }
  refuseUnknownOptions(options, known, of);
  refuseAborted(options.signal);
  const { policy = "persist", metadata } = options;
  assertPolicy(policy);
  return {
    expiresAt: deadlineOf(options, defaultTtl, deadline),
    policy,
    user: metadata === undefined ? undefined : userText(metadata),
  };
}

/** The envelope for an entry that does not exist yet, which has no deadline to keep. */
export function initialEnvelope({ expiresAt, policy, user }: Envelope): InitialEnvelope {
  return { expiresAt: expiresAt === "keep" ? undefined : expiresAt, policy, user };
}

/** @throws Refusal `KV_INVALID_OPTION` */
export function assertPolicy(policy: unknown): asserts policy is Policy {
  if (policy !== "persist" && policy !== "evict") {
    throw new Refusal("KV_INVALID_OPTION", `policy must be "persist" or "evict", not ${shown(policy)}`);
  }
}

function deadlineOf(
  options: SetOptions,
  defaultTtl: number | undefined,
  deadline: (ttl: number) => Deadline,
): Deadline | "keep" | undefined {
  const { ttl, expiresAt, keepTtl } = options;
  if (keepTtl !== undefined && keepTtl !== false) {
    if (keepTtl !== true) throw new Refusal("KV_INVALID_OPTION", "keepTtl must be true or false");
    if (ttl !== undefined || expiresAt !== undefined) throw tooManyDeadlines();
    return "keep";
  }
  if (expiresAt !== undefined) {
    if (ttl !== undefined) throw tooManyDeadlines();
    return timeOf(expiresAt);
  }
  if (ttl === null) return undefined;
  if (ttl !== undefined) return deadline(milliseconds(ttl));
  return defaultTtl === undefined ? undefined : deadline(defaultTtl);
}

function tooManyDeadlines(): Refusal {
  return new Refusal("KV_INVALID_OPTION", "give one of ttl, expiresAt and keepTtl");
}

/** The deadline of `updateTtl`; `null`: none. @throws Refusal `KV_INVALID_TTL` */
export function touchedDeadline(ttl: Duration | null, deadline: (ttl: number) => Deadline): Deadline | null {
  return ttl === null ? null : deadline(milliseconds(ttl));
}

function timeOf(expiresAt: Date | number): number {
  const time: unknown = typeof expiresAt === "object" ? dateTime(expiresAt) : expiresAt;
  if (typeof time === "number" && Math.abs(time) <= MAX_TIME) return Math.ceil(time) + 0;
  throw new Refusal(
    "KV_INVALID_TTL",
    `expiresAt must be a valid Date or milliseconds since 1970, not ${shown(expiresAt)}`,
  );
}

function userText(metadata: unknown): string {
  if (typeof metadata !== "object" || metadata === null || isArray(metadata)) {
    throw new Refusal("KV_INVALID_OPTION", "metadata must be an object");
  }
  return checkedText(metadata);
}

/** One entry's own options over the common ones. An own `ttl`, `expiresAt` or `keepTtl` replaces whichever of them is common. */
export function over(common: SetOptions | undefined, own: SetOptions | undefined): SetOptions | undefined {
  if (own === undefined || common === undefined) return own ?? common;
  if (typeof own !== "object" || own === null) return own;
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  const { ttl, expiresAt, keepTtl, ...rest } = common;
  const dated = "ttl" in given || "expiresAt" in given || "keepTtl" in given;
  return dated ? { ...rest, ...given } : { ttl, expiresAt, keepTtl, ...rest, ...given };
}
