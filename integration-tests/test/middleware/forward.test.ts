import { type Adapter, createStore, forward, type Middleware, namespaceOf } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it } from "vitest";
import { through } from "../suites/through.ts";

const root = namespaceOf([]);

describe("forward", () => {
  it("has every member of the adapter, and no others", () => {
    const inner = memory();
    const members = (adapter: Adapter): string[] => {
      const names = new Set<string>();
      for (let of: object = adapter; of !== Object.prototype; of = Object.getPrototypeOf(of)) {
        for (const name of Object.getOwnPropertyNames(of)) names.add(name);
      }
      names.delete("constructor");
      return [...names].sort();
    };
    expect(members(forward(inner))).toEqual(members(inner));
    const { watch: _, ...rest } = forward(inner);
    expect(forward(rest)).not.toHaveProperty("watch");
  });

  it("answers at once where the adapter does", () => {
    const adapter = forward(memory());
    expect(adapter.open()).toBeUndefined();
    expect(adapter.read(root, ["k"])).toEqual([undefined]);
    expect(adapter.count(root, { start: "", end: undefined })).toBe(0);
  });

  it("makes a middleware of a few lines", async () => {
    const reads: string[] = [];
    const listening: Middleware = (inner) =>
      forward(inner, {
        read(namespace, keys) {
          reads.push(...keys);
          return inner.read(namespace, keys);
        },
      });
    const store = createStore(memory(), { middleware: [listening] });
    await store.scope("a").get("b");
    expect(reads).toEqual(["a:b"]);
  });
});

describe.each(through.map(({ title, wrap }) => [title, wrap] as const))("%s", (_, wrap) => {
  it("keeps the name, the clock and the batching of the adapter, and what its errors mean", () => {
    const inner = forward(memory({ clock: () => 42 }), {
      name: "inner",
      batch: { read: true, commit: false },
      errorCode: () => "KV_CONFLICT",
    });
    const adapter = wrap(inner);
    expect(adapter).toMatchObject({ name: "inner", batch: { read: true, commit: false } });
    expect(adapter.clock()).toBe(42);
    expect(adapter.errorCode(new Error("of the driver"))).toBe("KV_CONFLICT");
    expect(adapter.watch === undefined).toBe(adapter.capabilities.watch === false);
  });
});
