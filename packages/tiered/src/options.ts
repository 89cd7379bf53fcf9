import { type Adapter, type Duration, KvError, milliseconds, Refusal, refuseUnknownOptions } from "@kv/core";

export interface TieredOptions {
  /**
   * Answers first: `memory({ maxEntries: 10_000 })`, for example. Opened and closed with the store. Nothing else may
   * use it.
   */
  readonly near: Adapter;
  /** Has everything. Opened and closed with the store. With `write: "behind"` no other writer is allowed. */
  readonly far: Adapter;
  /**
   * `"through"`: a write is acknowledged once the far tier has it. `"behind"`: once the near tier has it; the far tier gets
   * it later. A crash then loses nothing if the near tier is persistent, else the changes that were not flushed yet.
   * Default: `"through"`.
   */
  readonly write?: "through" | "behind" | undefined;
  /**
   * How long a copy in the near tier serves before the entry is read from the far tier again. A number is seconds. Default:
   * until the entry changes. Required if the far tier is shared and cannot be watched.
   */
  readonly ttl?: Duration | undefined;
  /**
   * With `"behind"`: the most changes that may wait for the far tier, a positive integer. Beyond it a write waits for the
   * flush in progress, and is refused with `KV_CAPACITY` if that fails. Default: 10,000.
   */
  readonly maxPending?: number | undefined;
  /**
   * With `"behind"`: the most keys in one commit of the far tier, a positive integer; a larger commit stays whole.
   * Default: 500.
   */
  readonly batchSize?: number | undefined;
  /**
   * With `"behind"`: how long the far tier may take to answer a flush, or the read that a write needs, before it counts as
   * unavailable. Must be shorter than the store's `timeout`. A number is seconds. Default: 2 s.
   */
  readonly timeout?: Duration | undefined;
  /** With `"behind"`: how long closing tries to flush the waiting changes. A number is seconds. Default: 2 s. */
  readonly closeTimeout?: Duration | undefined;
  /**
   * With `"behind"`: milliseconds until a flush is tried again, given the number of failures in a row (1, 2, …). If it
   * throws, 30,000. Default: 100, doubled each time up to 30,000, minus up to half of it at random.
   */
  readonly backoff?: ((failures: number) => number) | undefined;
}

export interface BehindSettings {
  readonly maxPending: number;
  readonly batchSize: number;
  /** Milliseconds, like the next. */
  readonly timeout: number;
  readonly closeTimeout: number;
  readonly backoff: (failures: number) => number;
}

export interface Settings {
  readonly near: Adapter;
  readonly far: Adapter;
  /** Milliseconds. */
  readonly ttl: number | undefined;
  /** `undefined`: write-through. */
  readonly behind: BehindSettings | undefined;
}

const BEHIND = [
  "maxPending",
  "batchSize",
  "timeout",
  "closeTimeout",
  "backoff",
] as const satisfies (keyof TieredOptions)[];
const KNOWN: ReadonlySet<string> = new Set([
  "near",
  "far",
  "write",
  "ttl",
  ...BEHIND,
] satisfies (keyof TieredOptions)[]);

const FIRST_PAUSE_MS = 100;
export const LONGEST_PAUSE_MS = 30_000;

/** @throws KvError `KV_INVALID_OPTION`, `KV_INVALID_TTL`, `KV_UNSUPPORTED` */
export function settingsOf(options: TieredOptions): Settings {
  try {
    return checked(options);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new KvError(error.code, { adapter: "tiered", operation: "tiered", message: error.message });
  }
}

function checked(options: TieredOptions): Settings {
  refuseUnknownOptions(options ?? {}, KNOWN, "tiered()");
  const { near, far, write = "through", ttl } = options ?? {};
  refuseUnlessAdapter("near", near);
  refuseUnlessAdapter("far", far);
  if (near === far) refuse("near and far are the same adapter; give two, such as memory() and a database");
  const common = { near, far, ttl: ttl === undefined ? undefined : milliseconds(ttl) };
  if (write === "behind") return { ...common, behind: checkedBehind(options) };
  if (write !== "through") refuse(`write must be "through" or "behind", not ${JSON.stringify(write)}`);
  const idle = BEHIND.find((name) => options[name] !== undefined);
  if (idle !== undefined)
    refuse(`${idle} applies only with write: "behind"; leave it out, or set write: "behind"`);
  if (ttl === undefined && far.capabilities.shared && far.capabilities.watch !== "shared") {
    refuse(
      `ttl is required: other processes may change the far tier (${far.name}), and it cannot be watched; set ttl to how long a copy may serve`,
    );
  }
  return { ...common, behind: undefined };
}

function checkedBehind(options: TieredOptions): BehindSettings {
  const { near, far, timeout = 2, closeTimeout = 2, backoff = pauseAfter } = options;
  if (far.capabilities.atomic !== "namespace") {
    throw new Refusal(
      "KV_UNSUPPORTED",
      `write: "behind" needs a far tier that commits any keys of a namespace as a whole, and this one (${far.name}) keeps them in partitions; use write: "through"`,
    );
  }
  if (near.capabilities.persistent && near.capabilities.atomic !== "namespace") {
    throw new Refusal(
      "KV_UNSUPPORTED",
      `write: "behind" keeps a journal in a near tier that persists, which must commit any keys of a namespace as a whole, and this one (${near.name}) keeps them in partitions; use another near tier, such as leveldb()`,
    );
  }
  if (typeof backoff !== "function") refuse("backoff must be a function");
  return {
    maxPending: positiveInteger("maxPending", options.maxPending, 10_000),
    batchSize: positiveInteger("batchSize", options.batchSize, 500),
    timeout: milliseconds(timeout),
    closeTimeout: milliseconds(closeTimeout),
    backoff,
  };
}

function pauseAfter(failures: number): number {
  const whole = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20));
  return whole / 2 + (Math.random() * whole) / 2;
}

function positiveInteger(name: string, value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (Number.isSafeInteger(value) && Number(value) > 0) return Number(value);
  return refuse(`${name} must be a positive integer`);
}

function refuseUnlessAdapter(name: string, value: unknown): void {
  if (typeof value === "object" && value !== null && "commit" in value && "capabilities" in value) return;
  refuse(`${name} must be an adapter, such as memory() of @kv/memory`);
}

function refuse(message: string): never {
  throw new Refusal("KV_INVALID_OPTION", message);
}
