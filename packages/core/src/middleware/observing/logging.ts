import type { Middleware } from "../../contract/adapter.ts";
import type { Duration } from "../../contract/duration.ts";
import type { KvErrorCode } from "../../contract/errors.ts";
import { shown } from "../../contract/shown.ts";
import { monotonicNow, warn } from "../../runtime/platform.ts";
import { codeOf } from "../parts/failure-code.ts";
import {
  checkedOptions,
  durationOption,
  functionOption,
  invalidOption,
} from "../parts/middleware-options.ts";
import { type AdapterCall, type AdapterOperation, observed } from "./observation.ts";

/** From the most to the least verbose. */
export type LogLevel = "debug" | "warn" | "error";

/** One call of an adapter. It never holds a value, an address or a driver's message; keys only with the option `keys`. */
export interface LogRecord {
  /** `"error"`: it failed; `"warn"`: it was slow; `"debug"`: neither. */
  readonly level: LogLevel;
  readonly adapter: string;
  readonly operation: AdapterOperation;
  /** The namespace's segments; `undefined` if the call concerns all namespaces. */
  readonly namespace: readonly string[] | undefined;
  /** How many keys were read, or commits made; `undefined` for other calls. */
  readonly items: number | undefined;
  /** The keys that were read or written, if the option `keys` is set. */
  readonly keys: readonly string[] | undefined;
  /** How long it took, in milliseconds; for a scan, until it was left. */
  readonly ms: number;
  /** The code of the failure. */
  readonly code: KvErrorCode | undefined;
  /** The record without its keys, as one line. */
  readonly message: string;
}

export interface LoggingOptions {
  /**
   * Receives a record of every call, after its end. An error it throws is reported as a process warning; the call is
   * not affected.
   */
  readonly log: (record: LogRecord) => void;
  /** The lowest level that is recorded. Default: `"debug"`, every call. */
  readonly level?: LogLevel | undefined;
  /** From which duration on a call is recorded at the level `"warn"`. A number is seconds. Default: never. */
  readonly slow?: Duration | undefined;
  /** Whether records hold the keys, which may be confidential. Default: `false`. */
  readonly keys?: boolean | undefined;
}

const LEVELS: readonly LogLevel[] = ["debug", "warn", "error"];

/**
 * Writes one record per call of the adapter. The store batches the operations of one tick, so a hundred `get`s may be
 * one `read` of a hundred keys.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function logging(options: LoggingOptions): Middleware {
  const { log, least, slow, keys } = checkedOptions(
    "logging",
    ["log", "level", "slow", "keys"],
    options,
    (given) => ({
      log: functionOption("log", given.log) ?? invalidOption("logging() needs log, a function"),
      least: rankOf(given.level ?? "debug"),
      slow: given.slow === undefined ? Number.POSITIVE_INFINITY : durationOption("slow", given.slow),
      keys: given.keys === true,
    }),
  );

  return (inner) =>
    observed(inner, (call) => {
      const start = monotonicNow();
      return (failure) => {
        const ms = monotonicNow() - start;
        const level = failure !== undefined ? "error" : ms >= slow ? "warn" : "debug";
        if (LEVELS.indexOf(level) < least) return;
        const code = failure === undefined ? undefined : codeOf(inner, failure.error);
        try {
          log({
            level,
            adapter: inner.name,
            operation: call.operation,
            namespace: call.namespace?.path,
            items: call.items,
            keys: keys ? call.keys() : undefined,
            ms,
            code,
            message: messageOf(inner.name, call, ms, code),
          });
        } catch (error) {
          warn(`the log function of logging() threw ${shown(error)}`);
        }
      };
    });
}

function rankOf(level: LogLevel): number {
  const rank = LEVELS.indexOf(level);
  return rank >= 0 ? rank : invalidOption(`level must be one of ${LEVELS.join(", ")}, not ${shown(level)}`);
}

function messageOf(adapter: string, call: AdapterCall, ms: number, code: KvErrorCode | undefined): string {
  const { operation, namespace, items } = call;
  const of = items === undefined ? "" : ` ${items}`;
  const where = namespace === undefined || namespace.id === "" ? "" : ` in ${JSON.stringify(namespace.path)}`;
  return `${adapter}.${operation}${of}${where} ${code ?? "ok"} ${ms.toFixed(1)} ms`;
}
