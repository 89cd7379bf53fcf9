import type { StandardSchemaV1 } from "@standard-schema/spec";
import { RANGE_OPTIONS, rangeOf, SELECTOR, type Wanted } from "./arguments/selector.ts";
import { signalOf } from "./arguments/signal.ts";
import { refuseUnknownOptions } from "./arguments/unknown-options.ts";
import type { MaybePromise, StoredEntry } from "./contract/adapter.ts";
import { isPromise } from "./contract/any-realm.ts";
import type { Capabilities } from "./contract/capabilities.ts";
import { Refusal } from "./contract/errors.ts";
import type {
  Change,
  Entry,
  ListNamespacesOptions,
  Metadata,
  Page,
  PageSelector,
  RangeOptions,
  Selector,
  SignalOptions,
  StoreReader,
  StoreStats,
  Subscription,
  WatchSelector,
} from "./contract/store.ts";
import { ViewContext } from "./operation/view-context.ts";
import type { ViewSettings } from "./operation/view-settings.ts";
import { ChangeStream } from "./reading/change-stream.ts";
import { countIn } from "./reading/count.ts";
import { namespacesBelow } from "./reading/list-namespaces.ts";
import { pageOf } from "./reading/page.ts";
import { Scan } from "./reading/scan.ts";
import { all } from "./runtime/maybe-promise.ts";
import { monotonicNow } from "./runtime/platform.ts";
import { accessTo, VIEW_ACCESS, type ViewAccess } from "./view-access.ts";

/** The reading half of every view. Values are `unknown` here; the public interface gives them their type. */
export abstract class ReaderView implements StoreReader<unknown> {
  protected readonly context: ViewContext;

  constructor(settings: ViewSettings) {
    this.context = new ViewContext(settings);
  }

  static {
    Object.defineProperty(ReaderView.prototype, VIEW_ACCESS, {
      value(this: ReaderView): ViewAccess {
        return accessTo(this.context);
      },
    });
  }

  get capabilities(): Capabilities {
    return this.context.connection.adapter.capabilities;
  }

  /** The hot path: if the adapter answers at once, this costs one call and one promise. */
  get(key: string, fallback?: unknown, options?: SignalOptions): Promise<unknown> {
    const { context } = this;
    if (options !== undefined || context.hasSchema) return this.#get("get", key, fallback, options);
    const fault = context.keyRefusal(key);
    if (fault !== undefined) return context.fail(fault, "get", key);
    try {
      const found = context.lane.readOne(context.prefix + key, true);
      if (isPromise(found)) {
        return found.then(
          (entry) => this.#valueOr(entry, fallback, "get", key),
          (error: unknown) => context.fail(error, "get", key),
        );
      }
      return context.pace.answer(found === undefined ? fallback : context.value(found));
    } catch (error) {
      return context.fail(error, "get", key);
    }
  }

  #valueOr(entry: StoredEntry | undefined, fallback: unknown, operation: string, key: string): unknown {
    try {
      return entry === undefined ? fallback : this.context.value(entry);
    } catch (error) {
      throw this.context.error(error, operation, key);
    }
  }

  #get(
    operation: string,
    key: string,
    fallback: unknown,
    options: SignalOptions | undefined,
  ): Promise<unknown> {
    return this.#one(operation, key, options, (entry) =>
      entry === undefined ? fallback : this.context.value(entry),
    );
  }

  getOrThrow(key: string, options?: SignalOptions): Promise<unknown> {
    return this.#one("getOrThrow", key, options, (entry) => {
      if (entry !== undefined) return this.context.value(entry);
      throw new Refusal("KV_NOT_FOUND", "the key does not exist; use get with a fallback");
    });
  }

  getMany(keys: Iterable<string>, options?: SignalOptions): Promise<unknown[]> {
    const { context } = this;
    return this.context.reading("getMany", undefined, options, () => {
      signalOf(options, "getMany");
      const stored = context.storedKeys(keys);
      if (stored.length === 0) return [];
      const found = context.lane.read(stored, options?.signal, true);
      return isPromise(found) ? found.then((entries) => this.#values(entries)) : this.#values(found);
    });
  }

  #values(entries: readonly (StoredEntry | undefined)[]): MaybePromise<unknown[]> {
    const { context } = this;
    return all(entries, (entry) => {
      if (entry === undefined) return undefined;
      try {
        return context.value(entry);
      } catch (error) {
        throw context.error(error, "getMany", context.keyOf(entry.key));
      }
    });
  }

  getEntry(key: string, options?: SignalOptions): Promise<Entry<unknown> | undefined> {
    const entryOf = (entry: StoredEntry | undefined) =>
      entry === undefined ? undefined : this.context.entry(entry);
    return this.#one("getEntry", key, options, entryOf, "entry");
  }

  getMetadata(key: string, options?: SignalOptions): Promise<Metadata | undefined> {
    const metadataOf = (entry: StoredEntry | undefined) =>
      entry === undefined ? undefined : this.context.metadata(entry);
    return this.#one("getMetadata", key, options, metadataOf, "metadata");
  }

  has(key: string, options?: SignalOptions): Promise<boolean> {
    return this.#one("has", key, options, (entry) => entry !== undefined, "metadata");
  }

  keys(selector?: Selector): AsyncIterableIterator<string> {
    return this.#scan("keys", selector, "keys", (entry) => this.context.keyOf(entry.key));
  }

  values(selector?: Selector): AsyncIterableIterator<unknown> {
    return this.#scan("values", selector, "payloads", (entry) => this.context.value(entry));
  }

  entries(selector?: Selector): AsyncIterableIterator<Entry<unknown>> {
    return this.#scan("entries", selector, "entries", (entry) => this.context.entry(entry));
  }

  range(start: string, end?: string, options?: RangeOptions): Promise<[string, unknown][]> {
    const { context } = this;
    return this.context.reading("range", undefined, undefined, () => {
      refuseUnknownOptions(options, RANGE_OPTIONS, "range");
      const selector: Selector = {
        ...options,
        ...(end === undefined ? { prefix: start } : { gte: start, lt: end }),
      };
      if (typeof start !== "string")
        throw new Refusal("KV_INVALID_OPTION", "range needs a string as its start");
      const pair = (entry: StoredEntry): MaybePromise<[string, unknown]> => {
        const value = context.value(entry);
        return isPromise(value)
          ? value.then((late) => [context.keyOf(entry.key), late])
          : [context.keyOf(entry.key), value];
      };
      return this.#scanner("range", selector, "payloads", pair).all();
    });
  }

  page(selector?: PageSelector): Promise<Page<unknown>> {
    const { context } = this;
    return this.context.reading("page", undefined, undefined, () => {
      context.assertOrdered("page");
      return pageOf(context, selector);
    });
  }

  count(selector?: Selector): Promise<number> {
    return this.context.reading("count", undefined, selector, () => countIn(this.context, selector));
  }

  listNamespaces(options?: ListNamespacesOptions): Promise<string[][]> {
    return this.context.reading("listNamespaces", undefined, options, () =>
      namespacesBelow(this.context, options),
    );
  }

  stats(options?: SignalOptions): Promise<StoreStats> {
    const { context } = this;
    const { connection, lane } = context;
    return this.context.reading("stats", undefined, options, async () => {
      signalOf(options, "stats");
      const { keys, expiring, evictable, bytes, backend } = await lane.afterCommits(() =>
        connection.adapter.stats(lane.namespace, context.bounds),
      );
      return { keys, expiring, evictable, ...(bytes === undefined ? undefined : { bytes }), backend };
    });
  }

  ping(options?: SignalOptions): Promise<number> {
    const { connection, lane } = this.context;
    return this.context.reading("ping", undefined, options, async () => {
      signalOf(options, "ping");
      const start = monotonicNow();
      await connection.call(() => connection.adapter.read(lane.namespace, ["ping"]));
      return monotonicNow() - start;
    });
  }

  watch(selector?: WatchSelector): AsyncIterableIterator<Change<unknown>> {
    return new ChangeStream(this.context, "watch", selector);
  }

  async subscribe(
    callback: (change: Change<unknown>) => unknown,
    selector?: WatchSelector,
  ): Promise<Subscription> {
    const { context } = this;
    if (typeof callback !== "function") {
      return context.fail(
        new Refusal("KV_INVALID_OPTION", "subscribe needs a function to call"),
        "subscribe",
      );
    }
    const stream = new ChangeStream(context, "subscribe", selector);
    await stream.ready;
    void stream.deliver(callback);
    return { unsubscribe: () => stream.end() };
  }

  abstract namespace(...path: string[]): StoreReader<unknown>;
  abstract scope(prefix: string): StoreReader<unknown>;
  abstract typed<T>(): StoreReader<T>;
  abstract typed<S extends StandardSchemaV1>(schema: S): StoreReader<StandardSchemaV1.InferOutput<S>>;
  abstract readonly(): StoreReader<unknown>;

  #one<T>(
    operation: string,
    key: string,
    options: SignalOptions | undefined,
    then: (entry: StoredEntry | undefined) => MaybePromise<T>,
    wanted: "payload" | "metadata" | "entry" = "payload",
  ): Promise<T> {
    const { context } = this;
    const fault = context.keyRefusal(key);
    if (fault !== undefined) return context.fail(fault, operation, key);
    return this.context.reading(operation, key, options, () => {
      signalOf(options, operation);
      const { lane } = context;
      const stored = context.prefix + key;
      const found = wanted === "metadata" ? lane.peekOne(stored) : lane.readOne(stored, wanted === "payload");
      return isPromise(found) ? found.then(then) : then(found);
    });
  }

  #scanner<T>(
    operation: string,
    selector: Selector | undefined,
    wanted: Wanted,
    convert: (entry: StoredEntry) => MaybePromise<T>,
  ): Scan<T> {
    const { context } = this;
    context.assertReadable();
    const range = rangeOf(selector, context.prefix, SELECTOR, operation, wanted);
    context.assertOrdered(operation);
    return new Scan(context, operation, range, selector ?? {}, convert);
  }

  #scan<T>(
    operation: string,
    selector: Selector | undefined,
    wanted: Wanted,
    convert: (entry: StoredEntry) => MaybePromise<T>,
  ): AsyncIterableIterator<T> {
    try {
      return this.#scanner(operation, selector, wanted, convert);
    } catch (error) {
      return Scan.refused(this.context.error(error, operation));
    }
  }
}
