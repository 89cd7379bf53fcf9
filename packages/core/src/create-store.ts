import { refuseUnknownOptions } from "./arguments/unknown-options.ts";
import { Connection } from "./connection/connection.ts";
import { shared } from "./connection/shared-adapter.ts";
import type { Adapter, Middleware } from "./contract/adapter.ts";
import { type Duration, milliseconds } from "./contract/duration.ts";
import { KvError, Refusal } from "./contract/errors.ts";
import { ROOT } from "./contract/namespace.ts";
import { shown } from "./contract/shown.ts";
import type { OnCorrupt, Store } from "./contract/store.ts";
import { Lanes } from "./order/lanes.ts";
import { type Codec, Codecs, json } from "./values/codec.ts";
import { View } from "./view.ts";

export interface CreateStoreOptions {
  /** The codec that writes values. Default: `json`. Entries that other known codecs wrote stay readable. */
  readonly codec?: Codec | undefined;
  /** Further codecs to read with: those this store wrote with before. `json` and `structured` are always known. */
  readonly codecs?: readonly Codec[] | undefined;
  /** The TTL of writes without a TTL of their own; with `ttl: null` they never expire. Default: none. */
  readonly defaultTtl?: Duration | undefined;
  /**
   * How long a call may take before `KV_TIMEOUT`, from the call on; `null`: no limit. A number is seconds. Default: 5
   * s. For a call of several steps the time starts again with each answer of the backend.
   */
  readonly timeout?: Duration | null | undefined;
  /** How often the space of expired entries is reclaimed; `null`: only by `sweep()`. A number is seconds. Default: 60 s. */
  readonly sweepInterval?: Duration | null | undefined;
  /** How a scan treats an entry that cannot be decoded. Default: `"skip"`. */
  readonly onCorrupt?: OnCorrupt | undefined;
  /** Middleware around the adapter, the outermost first. */
  readonly middleware?: readonly Middleware[] | undefined;
}

const OPTIONS: ReadonlySet<string> = new Set([
  "codec",
  "codecs",
  "defaultTtl",
  "timeout",
  "sweepInterval",
  "onCorrupt",
  "middleware",
]);

/**
 * Makes a store over an adapter. Synchronous, and without any I/O: the first operation opens the adapter, and if that
 * fails the next one tries again. Several stores may share one adapter: the first opens it, and the last to be closed
 * closes it.
 * @throws KvError `KV_INVALID_OPTION` or `KV_INVALID_TTL`, at once
 */
export function createStore<V = unknown>(adapter: Adapter, options: CreateStoreOptions = {}): Store<V> {
  try {
    return open(adapter, options) as Store<unknown> as Store<V>;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const name = typeof adapter?.name === "string" ? adapter.name : "kv";
    throw new KvError(error.code, {
      message: error.message,
      operation: "createStore",
      adapter: name,
      cause: error.cause,
    });
  }
}

function open(adapter: Adapter, options: CreateStoreOptions): View {
  if (!isAdapter(adapter)) {
    throw new Refusal("KV_INVALID_OPTION", "createStore needs an adapter, such as memory() of @kv/memory");
  }
  refuseUnknownOptions(options, OPTIONS, "createStore");
  const {
    codec = json,
    codecs = [],
    defaultTtl,
    timeout = 5,
    sweepInterval = 60,
    onCorrupt = "skip",
    middleware = [],
  } = options;
  if (onCorrupt !== "skip" && onCorrupt !== "throw" && typeof onCorrupt !== "function") {
    throw new Refusal("KV_INVALID_OPTION", 'onCorrupt must be "skip", "throw" or a function');
  }
  const whole = wrapped(adapter, middleware);
  const connection = new Connection(whole, {
    timeout: timeout === null ? Number.POSITIVE_INFINITY : milliseconds(timeout),
    sweepInterval: sweepInterval === null ? undefined : milliseconds(sweepInterval),
  });
  return new View(
    {
      connection,
      lanes: new Lanes(connection),
      codecs: new Codecs(codec, codecs, whole.form),
      namespace: ROOT,
      prefix: "",
      defaultTtl: defaultTtl === undefined ? undefined : milliseconds(defaultTtl),
      onCorrupt,
      readOnly: false,
      schema: undefined,
      fault: undefined,
    },
    true,
  );
}

/** @throws Refusal `KV_INVALID_OPTION` where the middleware is not a list of functions that each return an adapter */
function wrapped(adapter: Adapter, middleware: readonly Middleware[]): Adapter {
  if (!Array.isArray(middleware)) {
    throw new Refusal(
      "KV_INVALID_OPTION",
      "middleware must be an array, the outermost first: [logging(…), retry()]",
    );
  }
  const inner = middleware.length > 0 ? shared(adapter) : adapter;
  return middleware.reduceRight((within: Adapter, wrap: unknown, i) => {
    const around: unknown = typeof wrap === "function" ? wrap(within) : undefined;
    if (isAdapter(around)) return around;
    const what = typeof wrap === "function" ? "returned none" : `is ${shown(wrap)}`;
    throw new Refusal(
      "KV_INVALID_OPTION",
      `middleware[${i}] must be a function that returns an adapter, such as retry(), and ${what}`,
    );
  }, inner);
}

function isAdapter(value: unknown): value is Adapter {
  return (
    typeof value === "object" && value !== null && "commit" in value && typeof value.commit === "function"
  );
}
