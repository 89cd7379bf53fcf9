import { KvError, namespaceOf, Refusal, type StoredChange } from "@kv/core";
import { describe, expect, it, vi } from "vitest";
import { type EvictReason, memory } from "../src/index.ts";
import { Clock, commit, del, EVERYTHING, increment, keys, now, ROOT, read, set, write } from "./writing.ts";

describe("limits", () => {
  it("lets the least recently used entry go first, reads and writes being uses", () => {
    const adapter = memory({ maxEntries: 3 });
    for (const key of ["a", "b", "c"]) write(adapter, set(key, key));
    read(adapter, "a");
    write(adapter, set("d", 1));
    expect(keys(adapter)).toEqual(["a", "c", "d"]);
    write(adapter, set("c", 2));
    write(adapter, set("e", 1));
    expect(keys(adapter)).toEqual(["c", "d", "e"]);
    write(adapter, increment("d", 1));
    write(adapter, set("f", 1));
    expect(keys(adapter)).toEqual(["d", "e", "f"]);
  });

  it("takes neither scans nor counts for uses", () => {
    const adapter = memory({ maxEntries: 2 });
    write(adapter, set("a", 1));
    write(adapter, set("b", 1));
    keys(adapter);
    adapter.count(ROOT, EVERYTHING);
    write(adapter, set("c", 1));
    expect(keys(adapter)).toEqual(["b", "c"]);
  });

  it("counts over all namespaces", () => {
    const adapter = memory({ maxEntries: 2 });
    const other = namespaceOf(["other"]);
    adapter.commit(other, [{ checks: [], mutations: [set("old", 1)] }]);
    write(adapter, set("a", 1));
    write(adapter, set("b", 1));
    expect(keys(adapter)).toEqual(["a", "b"]);
    expect(adapter.count(other, EVERYTHING)).toBe(0);
    expect([...(adapter.namespaces(ROOT) as Iterable<unknown>)]).toEqual([]);
  });

  it("keeps within maxBytes of keys, payloads and metadata", () => {
    const adapter = memory({ maxBytes: 100 });
    write(adapter, set("a", "x".repeat(39)));
    write(adapter, set("b", new Uint8Array(39)));
    expect(read(adapter, "a")?.size).toBe(39);
    expect(now(adapter.stats(ROOT, EVERYTHING)).bytes).toBe(78);
    write(adapter, set("c", "x".repeat(19)));
    expect(keys(adapter)).toEqual(["a", "b", "c"]);
    // A byte more of metadata, and the least recently used of them has to go.
    write(adapter, set("c", "x".repeat(19), { user: "m" }));
    expect(keys(adapter)).toEqual(["a", "c"]);
    write(adapter, set("c", "é".repeat(40)));
    expect(keys(adapter)).toEqual(["c"]);
  });

  it("forgets the weight of what was deleted, rewritten or cleared", () => {
    const adapter = memory({ maxBytes: 100 });
    for (let i = 0; i < 50; i++) {
      write(adapter, set("a", "x".repeat(90)));
      write(adapter, set("a", "x"));
      write(adapter, del("a"));
      write(adapter, set("b", "x".repeat(90)));
      adapter.clear(ROOT, { ...EVERYTHING, policy: undefined, descendants: false });
    }
    write(adapter, set("c", "x".repeat(60)));
    write(adapter, set("d", "x".repeat(30)));
    expect(keys(adapter)).toEqual(["c", "d"]);
    expect(now(adapter.stats(ROOT, EVERYTHING)).bytes).toBe(90);
  });

  it("refuses an entry that alone exceeds maxBytes, and writes nothing of its commit", () => {
    const onEvict = vi.fn();
    const adapter = memory({ maxBytes: 50, onEvict });
    write(adapter, set("kept", 1));
    for (const mutations of [[set("big", "x".repeat(60))], [set("small", 1), set("big", "x".repeat(60))]]) {
      const result = commit(adapter, { checks: [], mutations });
      expect(result).toMatchObject({ status: "error", error: { code: "KV_CAPACITY", key: "big" } });
      expect(result.status === "error" && result.error).toBeInstanceOf(Refusal);
    }
    expect(keys(adapter)).toEqual(["kept"]);
    expect(onEvict).not.toHaveBeenCalled();
  });

  it("evicts after the whole commit, what the commit wrote last", () => {
    const adapter = memory({ maxEntries: 3 });
    write(adapter, set("old1", 1), set("old2", 1));
    write(adapter, set("a", 1), set("b", 1), set("c", 1));
    expect(keys(adapter)).toEqual(["a", "b", "c"]);
    write(adapter, set("d", 1), set("e", 1), set("f", 1), set("g", 1));
    expect(keys(adapter)).toEqual(["e", "f", "g"]);
  });

  it("drops what is due before anything that lives", () => {
    const clock = new Clock();
    const onEvict = vi.fn();
    const adapter = memory({ maxEntries: 2, onEvict, clock: clock.read });
    write(adapter, set("old", 1));
    write(adapter, set("due", 1, { expiresAt: clock.time + 10 }));
    read(adapter, "due");
    clock.time += 10;
    write(adapter, set("new", 1));
    expect(keys(adapter)).toEqual(["new", "old"]);
    expect(onEvict).not.toHaveBeenCalled();
  });

  it("publishes evictions as deletions, in the namespace that lost the entry", () => {
    const adapter = memory({ maxEntries: 1 });
    const other = namespaceOf(["other"]);
    const changes: StoredChange[] = [];
    adapter.watch?.(other, EVERYTHING, (published) => changes.push(...published));
    adapter.commit(other, [{ checks: [], mutations: [set("a", 1)] }]);
    write(adapter, set("b", 1));
    expect(changes.map(({ type }) => type)).toEqual(["set", "delete"]);
  });
});

describe("onEvict", () => {
  it("is called once per eviction, with key, value and reason", () => {
    const calls: [string, unknown, EvictReason][] = [];
    const onEvict = (...call: [string, unknown, EvictReason]) => calls.push(call);
    const entries = memory({ maxEntries: 1, onEvict });
    const bytes = Uint8Array.of(1, 2);
    write(entries, set("a", { n: [1] }));
    write(entries, set("a", { n: [2] }));
    write(entries, set("b", bytes));
    write(entries, set("c", null));
    write(entries, del("c"));
    expect(calls).toEqual([
      ["a", { n: [2] }, "maxEntries"],
      ["b", bytes, "maxEntries"],
    ]);
    expect(calls[1]?.[1]).not.toBe(bytes);
    const heavy = memory({ maxBytes: 50, onEvict });
    write(heavy, set("d", "x".repeat(30)));
    write(heavy, set("e", "x".repeat(30)));
    expect(calls.slice(2)).toEqual([["d", "x".repeat(30), "maxBytes"]]);
  });

  it("gets a copy, so that a page that was read before stays as it was", () => {
    const adapter = memory({
      maxEntries: 1,
      onEvict: (_key, value) => {
        (value as { n: number }).n = 9;
      },
    });
    write(adapter, set("a", { n: 1 }));
    const before = read(adapter, "a");
    write(adapter, set("b", 1));
    expect(before?.payload).toEqual({ n: 1 });
  });

  it("breaks nothing by throwing or rejecting, but is reported", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const throwing = memory({
      maxEntries: 1,
      onEvict: () => {
        throw new Error("mine");
      },
    });
    const rejecting = memory({ maxEntries: 1, onEvict: () => Promise.reject(new Error("mine")) });
    for (const adapter of [throwing, rejecting]) {
      write(adapter, set("a", 1));
      expect(write(adapter, set("b", 1)).status).toBe("ok");
      expect(keys(adapter)).toEqual(["b"]);
    }
    await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(2));
    warn.mockRestore();
  });

  it("may write to the store itself", () => {
    const adapter = memory({
      maxEntries: 2,
      onEvict: (key) => {
        if (key === "a") write(adapter, set("from onEvict", 1));
      },
    });
    for (const key of ["a", "b", "c"]) write(adapter, set(key, 1));
    expect(keys(adapter)).toEqual(["c", "from onEvict"]);
  });
});

describe("the options", () => {
  it("are refused when unknown or impossible", () => {
    const wrong: unknown[] = [
      { maxEntrys: 1 },
      { maxEntries: 0 },
      { maxEntries: 1.5 },
      { maxBytes: "1" },
      { maxBytes: Infinity },
      { onEvict: 1 },
      { clock: 0 },
      null,
      [],
    ];
    for (const options of wrong) {
      const open = () => memory(options as never);
      expect(open).toThrow(KvError);
      expect(open).toThrow(expect.objectContaining({ code: "KV_INVALID_OPTION", adapter: "memory" }));
    }
    expect(() => memory({ maxEntrys: 1 } as never)).toThrow(/maxEntries, maxBytes, onEvict, clock/);
  });

  it("that are undefined are options not given", () => {
    const adapter = memory({
      maxEntries: undefined,
      maxBytes: undefined,
      onEvict: undefined,
      clock: undefined,
    });
    expect(Math.abs(adapter.clock() - Date.now())).toBeLessThan(1000);
    write(adapter, set("a", 1));
    expect(now(adapter.stats(ROOT, EVERYTHING)).bytes).toBeUndefined();
  });
});
