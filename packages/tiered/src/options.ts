import { type Adapter, type Duration, KvError, milliseconds, Refusal, refuseUnknownOptions } from "@kv/core";

export interface TieredOptions {
  /** Answers first, and is opened and closed with the store: `memory({ maxEntries: 10_000 })`, for example. Nobody else may use it. */
  readonly near: Adapter;
  /** Has everything. Opened and closed with the store. */
  readonly far: Adapter;
  /** Whether a write is acknowledged once the far tier has it. Default: `"through"`. */
  readonly write?: "through" | undefined;
  /**
   * How long a copy in the near tier serves before it is read from the far tier again. A number is seconds. Default: until
   * the entry changes. Needed where the far tier is shared and cannot be watched.
   */
  readonly ttl?: Duration | undefined;
}

export interface Settings {
  readonly near: Adapter;
  readonly far: Adapter;
  /** Milliseconds. */
  readonly ttl: number | undefined;
}

const KNOWN: ReadonlySet<string> = new Set(["near", "far", "write", "ttl"] satisfies (keyof TieredOptions)[]);

/** @throws KvError `KV_INVALID_OPTION`, `KV_INVALID_TTL` */
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
  if (write !== "through") refuse(`write must be "through", not ${JSON.stringify(write)}`);
  if (ttl === undefined && far.capabilities.shared && far.capabilities.watch !== "shared") {
    refuse(
      `other processes may change what the far tier (${far.name}) has, and it cannot be watched: say with ttl how long a copy of it may serve`,
    );
  }
  return { near, far, ttl: ttl === undefined ? undefined : milliseconds(ttl) };
}

function refuseUnlessAdapter(name: string, value: unknown): void {
  if (typeof value === "object" && value !== null && "commit" in value && "capabilities" in value) return;
  refuse(`${name} must be an adapter, such as memory() of @kv/memory`);
}

function refuse(message: string): never {
  throw new Refusal("KV_INVALID_OPTION", message);
}
