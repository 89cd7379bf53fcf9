import {
  bounded,
  compression,
  encryption,
  fallback,
  KvError,
  logging,
  retry,
  sizeLimit,
  timeout,
  tracing,
} from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it } from "vitest";

const key = new Uint8Array(32);

/** What a caller in JavaScript may pass. */
function refusalOf(make: (options: never) => unknown, options: unknown): unknown {
  try {
    make(options as never);
  } catch (error) {
    return error;
  }
  return undefined;
}

function log(): void {}

describe("options of middleware", () => {
  it.each([
    ["bounded", bounded, { maxEntries: 1 }, "maxEntries, maxBytes, ttl, onEvict"],
    ["logging", logging, { log }, "log, level, slow, keys"],
    ["tracing", tracing, {}, "tracer, meter"],
    ["retry", retry, {}, "attempts, delay, maxDelay"],
    ["timeout", timeout, { after: 1 }, "after"],
    ["fallback", fallback, { mode: "degrade", to: memory() }, "mode, to, when, after, probe, onChange"],
    ["fallback", fallback, { mode: "fail" }, "mode, when, onChange"],
    ["compression", compression, {}, "threshold, algorithm"],
    ["encryption", encryption, { key }, "key, keys, current, readPlain"],
    ["sizeLimit", sizeLimit, { maxValueBytes: 1 }, "maxValueBytes"],
  ] as const)("%s refuses an unknown one and lists its own", (name, make, options, known) => {
    const error = refusalOf(make, { ...options, tll: 1 });
    expect(error).toBeInstanceOf(KvError);
    expect(error).toMatchObject({ code: "KV_INVALID_OPTION", operation: name });
    expect((error as Error).message).toBe(`kv.${name}: unknown option "tll" of ${name}(); it has: ${known}`);
  });

  it.each([
    ["bounded without options", bounded, undefined],
    ["bounded without a limit", bounded, {}],
    ["bounded to nothing", bounded, { maxEntries: 0 }],
    ["bounded to half an entry", bounded, { maxEntries: 1.5 }],
    ["bounded to no bytes", bounded, { maxEntries: 1, maxBytes: -1 }],
    ["bounded with no function", bounded, { maxEntries: 1, onEvict: "log" }],
    ["logging to nobody", logging, {}],
    ["logging at no level", logging, { log, level: "loud" }],
    ["logging what is slow, in no unit", logging, { log, slow: "100" }],
    ["tracing with neither", tracing, {}],
    ["tracing with no tracer", tracing, { tracer: {} }],
    ["tracing with no meter", tracing, { meter: { record: () => undefined } }],
    ["retry never", retry, { attempts: 0 }],
    ["retry after no time", retry, { delay: 0 }],
    ["timeout without options", timeout, undefined],
    ["timeout without a time", timeout, {}],
    ["timeout after nothing", timeout, { after: Number.NaN }],
    ["fallback without options", fallback, undefined],
    ["fallback to nothing that was said", fallback, { mode: "degrade" }],
    ["fallback to something unknown", fallback, { mode: "degrade", to: "memory" }],
    ["fallback in no mode", fallback, { to: memory() }],
    ["fallback with a where it fails", fallback, { mode: "fail", to: memory() }],
    ["compression of numbers", compression, { threshold: 10 }],
    ["compression by nobody", compression, { algorithm: "zip" }],
    ["encryption without options", encryption, undefined],
    ["encryption without a key", encryption, {}],
    ["encryption with a password", encryption, { key: "secret-of-mine" }],
    ["encryption with half a key", encryption, { key: new Uint8Array(16) }],
    ["encryption with keys and none of them current", encryption, { keys: { a: key } }],
    ["encryption with a current one that is missing", encryption, { keys: { a: key }, current: "b" }],
    ["encryption with both", encryption, { key, keys: { a: key }, current: "a" }],
    ["encryption with a key of no name", encryption, { keys: { "": key }, current: "" }],
    ["sizeLimit without one", sizeLimit, {}],
  ] as const)("%s is KV_INVALID_OPTION", (_, make, options) => {
    const error = refusalOf(make, options);
    expect(error).toMatchObject({ name: "KvError", code: "KV_INVALID_OPTION" });
    expect((error as Error).message).not.toContain("secret-of-mine");
  });

  it("bounded with an impossible ttl is KV_INVALID_TTL", () => {
    expect(refusalOf(bounded, { maxEntries: 1, ttl: -1 })).toMatchObject({ code: "KV_INVALID_TTL" });
  });
});
