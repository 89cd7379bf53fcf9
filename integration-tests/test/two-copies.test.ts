import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describeConformance } from "@kv/conformance";
import {
  type Adapter,
  compression,
  createStore,
  encryption,
  fallback,
  forward,
  json,
  KvError,
  Refusal,
  structured,
  viewAccess,
} from "@kv/core";
import { files } from "@kv/hybrid";
import { memory } from "@kv/memory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SecondCopy } from "../copies/second-copy.ts";

const copy = new SecondCopy(["core", "memory", "sqlite", "leveldb", "redis", "hybrid"]);
const other = {
  core: await copy.load<typeof import("@kv/core")>("core"),
  memory: await copy.load<typeof import("@kv/memory")>("memory"),
  sqlite: await copy.load<typeof import("@kv/sqlite")>("sqlite"),
  hybrid: await copy.load<typeof import("@kv/hybrid")>("hybrid"),
};

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "kv-two-copies-"));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  copy.dispose();
});

/** An adapter of the other copy whose commits and reads fail with what is given. */
function failing(error: unknown): Adapter {
  const fail = () => {
    throw error;
  };
  return other.core.forward(other.memory.memory(), { commit: fail, read: fail });
}

describe("two copies of @kv/core in one program", () => {
  it("are two", () => {
    expect(other.core.KvError).not.toBe(KvError);
    expect(other.core.json).not.toBe(json);
  });

  it("a refusal of the other copy keeps its code, its message and its advice to retry", async () => {
    const refusal = new other.core.Refusal("KV_CAPACITY", "no room", { retryable: true });
    const store = createStore(failing(refusal));
    const error = await store.set("k", 1).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "KV_CAPACITY", retryable: true, key: "k", adapter: "memory" });
    expect(String(error)).toContain("no room");
    await store.close();
  });

  it("instanceof and KvError.is hold both ways, and a subclass stays a subclass", () => {
    const options = { message: "m", operation: "get", adapter: "memory" };
    for (const [one, two] of [
      [other.core, { KvError, Refusal }],
      [{ KvError, Refusal }, other.core],
    ] as const) {
      const error = new one.KvError("KV_TIMEOUT", options);
      expect(error).toBeInstanceOf(two.KvError);
      expect(two.KvError.is(error, "KV_TIMEOUT")).toBe(true);
      expect(two.KvError.is(error, "KV_CLOSED")).toBe(false);
      expect(new one.Refusal("KV_CLOSED", "closed")).toBeInstanceOf(two.Refusal);
      expect(error).not.toBeInstanceOf(two.Refusal);
      class Special extends two.Refusal {}
      expect(new one.Refusal("KV_CLOSED", "closed")).not.toBeInstanceOf(Special);
      expect(new Special("KV_CLOSED", "closed")).toBeInstanceOf(one.Refusal);
    }
    for (const value of [
      undefined,
      null,
      "KvError",
      {},
      { name: "KvError", code: "KV_CLOSED" },
      new Error("x"),
    ])
      expect(KvError.is(value)).toBe(false);
  });

  it("the codecs of the other copy are the same codecs, and a changed one is another", async () => {
    const adapter = memory();
    const store = createStore(adapter, { codec: other.core.structured, codecs: [json, other.core.json] });
    await store.set("k", new Date(0));
    expect(await store.get("k")).toEqual(new Date(0));
    await store.close();
    const counting = createStore(memory(), { codec: other.core.json, codecs: [structured] });
    expect(await counting.increment("n")).toBe(1);
    await counting.close();
    expect(() => createStore(adapter, { codec: { ...other.core.json, encode: () => "1" } })).toThrow(
      expect.objectContaining({ code: "KV_INVALID_OPTION" }),
    );
  });

  it("an option that an adapter of the other copy refuses is a KvError of both", () => {
    const make = () => other.sqlite.sqlite({ path: "" });
    expect(make).toThrow(KvError);
    expect(make).toThrow(other.core.KvError);
  });

  it("middleware of one copy works in a store of the other, also on what it cannot read", async () => {
    const keys = { a: new Uint8Array(32).fill(1) };
    const adapter = other.memory.memory();
    const writer = createStore(adapter, {
      middleware: [other.core.compression(), other.core.encryption({ keys, current: "a" })],
    });
    await writer.set("k", { a: "x".repeat(10_000) });
    expect(await writer.get("k")).toEqual({ a: "x".repeat(10_000) });
    const others = { b: new Uint8Array(32).fill(2) };
    const reader = createStore(adapter, {
      middleware: [compression(), encryption({ keys: others, current: "b" })],
    });
    await expect(reader.get("k")).rejects.toMatchObject({ code: "KV_CORRUPT", key: "k" });
    await writer.close();
    await reader.close();
  });

  it("a backend that another process holds is no outage to a fallback of the other copy", async () => {
    const held = new other.core.Refusal("KV_UNAVAILABLE", "held by process 1", { held: true });
    const far = forward(failing(held), {
      open() {
        throw held;
      },
    });
    const store = createStore(far, { middleware: [fallback({ mode: "degrade", to: memory() })] });
    await expect(store.get("k")).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await store.close();
  });

  it("functions over a store reach an adapter through a store of the other copy", async () => {
    const index = other.memory.memory();
    const adapter = other.hybrid.hybrid({ index, directory: join(directory, "files") });
    const store = createStore(adapter);
    const { setStream, getStream } = other.hybrid.files(store as never);
    await setStream("k", Readable.from([Buffer.from("bytes")]));
    const found = await getStream("k");
    expect(await new Response(Readable.toWeb(found?.stream as Readable) as ReadableStream).text()).toBe(
      "bytes",
    );
    expect(viewAccess(other.core.createStore(memory()) as never).adapter.name).toBe("memory");
    // Two copies of the adapter's own package may differ in what lies behind, and say so.
    expect(() => files(store)).toThrow(/two copies of @kv\/hybrid/);
    await store.close();
  });

  it("stores of both copies over one adapter open it once, and the last to be closed closes it", async () => {
    const life: string[] = [];
    const inner = memory();
    const adapter = forward(inner, {
      open: () => void life.push("open"),
      close: () => void life.push("close"),
    });
    const one = createStore(adapter);
    const two = other.core.createStore(adapter);
    await one.set("k", 1);
    expect(await two.get("k")).toBe(1);
    await one.close();
    await two.set("k", 2);
    expect(life).toEqual(["open"]);
    await two.close();
    expect(life).toEqual(["open", "close"]);
  });
});

if (process.env["KV_TEST_FULL"] === "1") {
  describeConformance({
    name: "memory of another copy",
    create() {
      let now = 1_790_000_000_000;
      const clock = () => now;
      return {
        adapter: other.memory.memory({ clock }),
        clock: {
          advance(milliseconds) {
            now += milliseconds;
          },
        },
      };
    },
  });
} else {
  it("memory of another copy passes the whole suite", (ctx) => ctx.skip("needs KV_TEST_FULL=1"));
}
