import type { StandardSchemaV1 } from "@standard-schema/spec";
import { isIterable, listed } from "../arguments/iterables.ts";
import { scopeBounds } from "../arguments/selector.ts";
import { abortable } from "../arguments/signal.ts";
import { signalIn } from "../arguments/unknown-options.ts";
import type { Connection } from "../connection/connection.ts";
import type { Bounds, MaybePromise, StoredEntry } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import { type KvError, Refusal } from "../contract/errors.ts";
import { keyFault } from "../contract/key.ts";
import type { Entry, Metadata, OnCorrupt, SignalOptions, UserMetadata } from "../contract/store.ts";
import type { Lane } from "../order/lane.ts";
import { CallerError, called } from "../runtime/optimistic.ts";
import type { Pace } from "../runtime/pace.ts";
import { warn } from "../runtime/platform.ts";
import type { Codecs } from "../values/codec.ts";
import { validated } from "../values/schema.ts";
import { ValidationQueue } from "./validation-queue.ts";
import type { ViewSettings } from "./view-settings.ts";
import { failure } from "./wrapped-error.ts";

/** What all operations of one view need. */
export class ViewContext {
  readonly settings: ViewSettings;
  readonly connection: Connection;
  readonly lane: Lane;
  readonly pace: Pace;
  readonly codecs: Codecs;
  readonly prefix: string;
  readonly #fault: Refusal | undefined;
  readonly #writeFault: Refusal | undefined;
  readonly #schema: StandardSchemaV1 | undefined;
  readonly queue: ValidationQueue = new ValidationQueue();
  #warned = false;

  constructor(settings: ViewSettings) {
    this.settings = settings;
    this.connection = settings.connection;
    this.pace = settings.connection.pace;
    this.codecs = settings.codecs;
    this.prefix = settings.prefix;
    this.lane = settings.lanes.of(settings.namespace);
    this.#fault = settings.fault;
    this.#writeFault = settings.readOnly
      ? new Refusal("KV_READ_ONLY", "this view only reads; write through the store it was made from")
      : settings.fault;
    this.#schema = settings.schema;
  }

  /** Every key of this view, as stored. */
  get bounds(): Bounds {
    return scopeBounds(this.prefix);
  }

  /** The refusal of an operation on the key, if the view or the key is invalid. */
  keyRefusal(key: unknown): Refusal | undefined {
    return this.#fault ?? keyFault(key, this.prefix);
  }

  writeRefusal(key: unknown): Refusal | undefined {
    return this.#writeFault ?? keyFault(key, this.prefix);
  }

  /** @throws Refusal if the view is invalid */
  assertReadable(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** @throws Refusal if the view is invalid or only reads */
  assertWritable(): void {
    if (this.#writeFault !== undefined) throw this.#writeFault;
  }

  /** @throws Refusal `KV_UNSUPPORTED` if the backend does not keep its keys in order */
  assertOrdered(what: string): void {
    const { name, capabilities } = this.connection.adapter;
    if (capabilities.ordered) return;
    throw new Refusal(
      "KV_UNSUPPORTED",
      `${what} needs keys in order, which this ${name} store does not keep`,
    );
  }

  /** The keys as stored. @throws Refusal naming the first invalid key */
  storedKeys(keys: Iterable<string>): string[] {
    if (!isIterable(keys)) {
      throw new Refusal("KV_INVALID_OPTION", "keys must be an array or another iterable of strings");
    }
    return listed(keys, "keys").map((key) => {
      const fault = keyFault(key, this.prefix);
      if (fault !== undefined) throw this.#named(fault, key);
      return this.prefix + key;
    });
  }

  #named(fault: Refusal, key: unknown): Refusal {
    return typeof key === "string"
      ? new Refusal(fault.code, fault.message, { key: this.prefix + key })
      : fault;
  }

  /** The value of an entry; a promise only if a schema is asynchronous. */
  value(entry: StoredEntry): MaybePromise<unknown> {
    const value = this.codecs.decode(entry);
    return this.#schema === undefined ? value : validated(this.#schema, value, "the stored value");
  }

  /** The value to store: validated if there is a schema. */
  input(value: unknown): MaybePromise<unknown> {
    return this.#schema === undefined ? value : validated(this.#schema, value, "the value");
  }

  get hasSchema(): boolean {
    return this.#schema !== undefined;
  }

  metadata(entry: StoredEntry): Metadata {
    return {
      revision: entry.revision,
      createdAt: new Date(entry.createdAt),
      updatedAt: new Date(entry.updatedAt),
      ...(entry.expiresAt === undefined ? undefined : { expiresAt: new Date(entry.expiresAt) }),
      policy: entry.policy,
      ...(entry.size === undefined ? undefined : { size: entry.size }),
      ...(entry.user === undefined ? undefined : { user: userMetadata(entry.user) }),
    };
  }

  entry(stored: StoredEntry): MaybePromise<Entry<unknown>> {
    const value = this.value(stored);
    const make = (decoded: unknown) => ({
      key: this.keyOf(stored.key),
      value: decoded,
      metadata: this.metadata(stored),
    });
    return isPromise(value) ? value.then(make) : make(value);
  }

  /** The key without the view's prefix, as its user wrote it. */
  keyOf(stored: string): string {
    return this.prefix === "" ? stored : stored.slice(this.prefix.length);
  }

  error(error: unknown, operation: string, key?: string): KvError {
    const named = error instanceof Refusal && error.key !== undefined ? this.keyOf(error.key) : key;
    return failure(this.connection.adapter, error, operation, named);
  }

  fail(error: unknown, operation: string, key?: unknown): Promise<never> {
    return Promise.reject(this.error(error, operation, typeof key === "string" ? key : undefined));
  }

  /** Runs an operation. Returns a promise of its result, with every failure wrapped. */
  async operate<T>(
    operation: string,
    key: string | undefined,
    signal: AbortSignal | undefined,
    run: () => MaybePromise<T>,
  ): Promise<T> {
    try {
      const result = this.#issue(run);
      if (isPromise(result)) return await abortable(this.connection.work.hold(result), signal);
      return await this.pace.answer(result, Array.isArray(result) ? result.length : 1);
    } catch (error) {
      throw error instanceof CallerError ? error.thrown : this.error(error, operation, key);
    }
  }

  /** Runs an operation that reads: refused if the view is invalid, and given up when the signal of its options is aborted. */
  reading<T>(
    operation: string,
    key: string | undefined,
    options: SignalOptions | undefined,
    run: () => MaybePromise<T>,
  ): Promise<T> {
    return this.operate(operation, key, signalIn(options), () => {
      this.assertReadable();
      return run();
    });
  }

  /** The same for one that writes. */
  writing<T>(
    operation: string,
    key: string | undefined,
    options: SignalOptions | undefined,
    run: () => MaybePromise<T>,
  ): Promise<T> {
    return this.operate(operation, key, signalIn(options), () => {
      this.assertWritable();
      return run();
    });
  }

  /** Begins an operation, after the validations of those before it. */
  #issue<T>(run: () => MaybePromise<T>): MaybePromise<T> {
    const { connection, queue } = this;
    if (queue.issued() !== undefined) {
      connection.assertOpen();
      return queue.issue(() => connection.continue(run));
    }
    return queue.issue(run);
  }

  /** Handles an entry that a scan cannot decode. @throws KvError if `onCorrupt` is `"throw"` */
  corrupt(
    error: unknown,
    operation: string,
    stored: string,
    onCorrupt: OnCorrupt = this.settings.onCorrupt,
  ): void {
    const key = this.keyOf(stored);
    const wrapped = this.error(error, operation, key);
    if (onCorrupt === "throw" || (wrapped.code !== "KV_CORRUPT" && wrapped.code !== "KV_INVALID_VALUE"))
      throw wrapped;
    if (typeof onCorrupt === "function") called(onCorrupt, wrapped);
    else if (!this.#warned) {
      this.#warned = true;
      warn(
        `${wrapped.message} (skipped by a scan; further such entries are skipped without a warning, see the option onCorrupt)`,
      );
    }
  }
}

function userMetadata(text: string): UserMetadata {
  try {
    return JSON.parse(text) as UserMetadata;
  } catch (error) {
    throw new Refusal("KV_CORRUPT", "the stored user metadata is not JSON; rewrite the entry", {
      cause: error,
    });
  }
}
