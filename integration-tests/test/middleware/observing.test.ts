import {
  createStore,
  type LogRecord,
  logging,
  type MeterLike,
  type SpanAttributes,
  type TracerLike,
  tracing,
} from "@kv/core";
import { memory } from "@kv/memory";
import { type Meter, SpanKind, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import { describe, expect, expectTypeOf, it } from "vitest";
import { collected } from "./collected.ts";
import { controlled, unavailable } from "./controlled.ts";

describe("logging", () => {
  it("records every call with what it was about, and nothing of what was in it", async () => {
    const records: LogRecord[] = [];
    const backend = controlled(memory());
    const store = createStore(backend.adapter, {
      middleware: [logging({ log: (record) => records.push(record) })],
    });
    const users = store.namespace("users");
    await users.set("of ada", "secret");
    await users.getMany(["of ada", "of bob"]);
    await collected(users.keys());
    await store.count();
    backend.failure = new Error("redis://user:password@host is down");
    await expect(store.get("of ada")).rejects.toThrow();
    expect(
      records.map(({ operation, namespace, items, code }) => [operation, namespace, items, code]),
    ).toEqual([
      ["open", undefined, undefined, undefined],
      ["commit", ["users"], 1, undefined],
      ["read", ["users"], 2, undefined],
      ["scan", ["users"], undefined, undefined],
      ["count", [], undefined, undefined],
      ["read", [], 1, "KV_BACKEND"],
    ]);
    for (const { ms, adapter, keys } of records) {
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(adapter).toBe("memory");
      expect(keys).toBeUndefined();
    }
    expect(records.map(({ level }) => level)).toEqual(["debug", "debug", "debug", "debug", "debug", "error"]);
    expect(records[1]?.message).toMatch(/^memory\.commit 1 in \["users"\] ok \d+\.\d ms$/);
    const all = JSON.stringify(records);
    for (const word of ["secret", "password", "bob"]) expect(all).not.toContain(word);
  });

  it("tells keys only where it is asked to, and only what its level asks for", async () => {
    const records: LogRecord[] = [];
    const backend = controlled(memory());
    const store = createStore(backend.adapter, {
      middleware: [
        logging({ log: (record) => records.push(record), level: "warn", slow: "15ms", keys: true }),
      ],
    });
    await store.get("quick");
    expect(records).toEqual([]);
    backend.failure = unavailable();
    await expect(store.set("failing", 1)).rejects.toThrow();
    backend.failure = undefined;
    expect(records).toMatchObject([{ level: "error", keys: ["failing"], code: "KV_UNAVAILABLE" }]);
    records.length = 0;
    const slow = backend.adapter.read;
    backend.adapter.read = async (namespace, keys) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return slow(namespace, keys);
    };
    const other = createStore(backend.adapter, {
      middleware: [
        logging({ log: (record) => records.push(record), level: "warn", slow: "15ms", keys: true }),
      ],
    });
    await other.getMany(["a", "b"]);
    expect(records).toMatchObject([{ level: "warn", operation: "read", keys: ["a", "b"], code: undefined }]);
  });

  it("records a commit that failed by itself, and a scan that was left or failed", async () => {
    const records: LogRecord[] = [];
    const backend = controlled(memory({ maxBytes: 20 }));
    const store = createStore(backend.adapter, {
      middleware: [logging({ log: (record) => records.push(record) })],
    });
    await store.set("a", 1);
    await store.set("b", 1);
    await expect(store.set("c", "x".repeat(50))).rejects.toMatchObject({ code: "KV_CAPACITY" });
    expect(records.at(-1)).toMatchObject({ operation: "commit", code: "KV_CAPACITY" });
    for await (const _ of store.keys()) break;
    expect(records.at(-1)).toMatchObject({ operation: "scan", code: undefined });
    backend.failure = unavailable();
    await expect(collected(store.keys())).rejects.toThrow();
    expect(records.at(-1)).toMatchObject({ operation: "scan", code: "KV_UNAVAILABLE" });
  });

  it("does not fail where the log does", async () => {
    const store = createStore(memory(), {
      middleware: [
        logging({
          log() {
            throw new Error("of the test");
          },
        }),
      ],
    });
    await store.set("k", 1);
    expect(await store.get("k")).toBe(1);
  });
});

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly attributes: SpanAttributes;
  status?: { code: number; message?: string };
  exception?: { name: string; code: string };
  ended: number;
}

function recorder() {
  const spans: Span[] = [];
  const durations: { value: number; attributes: SpanAttributes }[] = [];
  const histograms: unknown[] = [];
  const tracer: TracerLike = {
    startSpan(name, { kind, attributes }) {
      const span: Span = { name, kind, attributes: { ...attributes }, ended: 0 };
      spans.push(span);
      return {
        setAttribute: (key, value) => {
          span.attributes[key] = value;
        },
        setStatus: (status) => {
          span.status = status;
        },
        recordException: (exception) => {
          span.exception = exception;
        },
        end: () => {
          span.ended++;
        },
      };
    },
  };
  const meter: MeterLike = {
    createHistogram(...made) {
      histograms.push(made);
      return { record: (value, attributes) => durations.push({ value, attributes }) };
    },
  };
  return { spans, durations, histograms, tracer, meter };
}

describe("tracing", () => {
  it("makes spans and durations by the semantic conventions", async () => {
    const { spans, durations, histograms, tracer, meter } = recorder();
    const store = createStore(memory(), { middleware: [tracing({ tracer, meter })] });
    await store.set("k", "secret");
    await store.namespace("a", "b").getMany(["x", "y"]);
    await collected(store.values());
    expect(spans.map(({ name, attributes }) => [name, attributes])).toEqual([
      ["open memory", { "db.system.name": "memory", "db.operation.name": "open" }],
      ["commit memory", { "db.system.name": "memory", "db.operation.name": "commit" }],
      [
        "read memory",
        {
          "db.system.name": "memory",
          "db.operation.name": "read",
          "db.namespace": "a/b/",
          "db.operation.batch.size": 2,
        },
      ],
      ["scan memory", { "db.system.name": "memory", "db.operation.name": "scan" }],
    ]);
    expect(spans.every(({ kind, ended }) => kind === SpanKind.CLIENT && ended === 1)).toBe(true);
    expect(histograms).toMatchObject([["db.client.operation.duration", { unit: "s" }]]);
    expect(durations.map(({ attributes }) => attributes["db.operation.name"])).toEqual([
      "open",
      "commit",
      "read",
      "scan",
    ]);
    expect(durations.every(({ value }) => value >= 0 && value < 1)).toBe(true);
    expect(JSON.stringify(spans)).not.toContain("secret");
  });

  it("records failures by their code, without what the driver said", async () => {
    const { spans, durations, tracer, meter } = recorder();
    const backend = controlled(memory());
    const store = createStore(backend.adapter, { middleware: [tracing({ tracer, meter })] });
    await store.get("open");
    backend.failure = new TypeError("redis://user:password@host");
    await expect(store.get("k")).rejects.toThrow();
    expect(spans.at(-1)).toMatchObject({
      attributes: { "error.type": "KV_BACKEND" },
      status: { code: SpanStatusCode.ERROR, message: "KV_BACKEND" },
      exception: { name: "TypeError", code: "KV_BACKEND" },
      ended: 1,
    });
    expect(durations.at(-1)?.attributes["error.type"]).toBe("KV_BACKEND");
    expect(JSON.stringify(spans)).not.toContain("password");
  });

  it("does with a tracer or a meter alone", async () => {
    const { spans, durations, tracer, meter } = recorder();
    await createStore(memory(), { middleware: [tracing({ tracer })] }).set("k", 1);
    await createStore(memory(), { middleware: [tracing({ meter })] }).set("k", 1);
    expect([spans.length, durations.length]).toEqual([2, 2]);
  });

  it("takes what OpenTelemetry's API gives", () => {
    expectTypeOf<Tracer>().toExtend<TracerLike>();
    expectTypeOf<Meter>().toExtend<MeterLike>();
    const middleware = (tracer: Tracer, meter: Meter) => tracing({ tracer, meter });
    expectTypeOf(middleware).toBeFunction();
  });
});
