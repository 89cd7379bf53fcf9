import { namespaceOf, type StoredChange, type StoredEntry } from "@kv/core";
import { describe, expect, it } from "vitest";
import { memory } from "../src/index.ts";
import { Clock, commit, del, EVERYTHING, increment, keys, now, ROOT, read, set, write } from "./writing.ts";

describe("a commit", () => {
  it("leaves nothing behind when an increment in its middle fails", () => {
    const clock = new Clock();
    const adapter = memory({ clock: clock.read });
    write(adapter, set("text", "1"), set("count", 1, { expiresAt: clock.time + 10 }), set("gone", 1));
    const before = keys(adapter).map((key) => read(adapter, key));
    const changes: StoredChange[] = [];
    adapter.watch?.(ROOT, EVERYTHING, (published) => changes.push(...published));
    const result = write(
      adapter,
      set("new", 1),
      increment("count", 1),
      del("gone"),
      set("count", 5),
      increment("text", 1),
      set("after", 1),
    );
    expect(result).toEqual({ status: "not-a-number", key: "text" });
    expect(keys(adapter).map((key) => read(adapter, key))).toEqual(before);
    expect(changes).toEqual([]);
  });

  it("fails for an increment of what the same commit has set", () => {
    const adapter = memory();
    expect(write(adapter, set("a", "text"), increment("a", 1)).status).toBe("not-a-number");
    expect(write(adapter, set("a", Number.MAX_SAFE_INTEGER), increment("a", 1)).status).toBe("not-a-number");
    expect(keys(adapter)).toEqual([]);
  });

  it("applies several mutations of one key in order, each with an outcome and a change", () => {
    const adapter = memory();
    const changes: string[] = [];
    adapter.watch?.(ROOT, EVERYTHING, (published) => changes.push(...published.map(({ type }) => type)));
    const result = write(
      adapter,
      set("a", 1),
      increment("a", 2),
      { type: "touch", key: "a", expiresAt: undefined, policy: "evict" },
      del("a"),
      del("a"),
      increment("a", 10),
    );
    expect(result).toEqual({
      status: "ok",
      outcomes: [
        { revision: expect.any(String) },
        { revision: expect.any(String), value: 3 },
        { existed: true },
        { existed: true },
        { existed: false },
        { revision: expect.any(String), value: 10 },
      ],
    });
    expect(changes).toEqual(["set", "set", "touch", "delete", "set"]);
    expect(read(adapter, "a")).toMatchObject({ payload: 10, policy: "persist" });
  });

  it("names each key whose check failed once, in the order of the checks", () => {
    const adapter = memory();
    write(adapter, set("a", 1));
    const checks = [
      { key: "b", revision: "x" },
      { key: "a", revision: null },
      { key: "a", revision: "x" },
      { key: "c", revision: null },
    ];
    const result = commit(adapter, { checks, mutations: [set("c", 1)] });
    expect(result).toEqual({ status: "conflict", failed: ["b", "a"] });
    expect(keys(adapter)).toEqual(["a"]);
  });

  it("takes no other commit of its batch with it", () => {
    const adapter = memory();
    const results = now(
      adapter.commit(ROOT, [
        { checks: [], mutations: [set("a", "text")] },
        { checks: [], mutations: [increment("a", 1)] },
        { checks: [{ key: "a", revision: null }], mutations: [set("b", 1)] },
        { checks: [], mutations: [set("c", 1)] },
      ]),
    );
    expect(results.map(({ status }) => status)).toEqual(["ok", "not-a-number", "conflict", "ok"]);
    expect(keys(adapter)).toEqual(["a", "c"]);
  });

  it("gives a revision that no earlier write of the adapter had", () => {
    const adapter = memory();
    const seen = new Set<string | undefined>();
    for (let i = 0; i < 3000; i++) {
      write(adapter, set("a", i));
      seen.add(read(adapter, "a")?.revision);
      write(adapter, del("a"));
    }
    expect(seen.size).toBe(3000);
  });

  it("leaves entries that were handed out as they were", () => {
    const adapter = memory();
    write(adapter, set("a", 1));
    const before = read(adapter, "a") as StoredEntry;
    const { revision } = before;
    write(adapter, { type: "touch", key: "a", expiresAt: undefined, policy: "evict" });
    expect(before).toMatchObject({ payload: 1, policy: "persist", revision });
    expect(read(adapter, "a")).toMatchObject({ payload: 1, policy: "evict", revision });
    write(adapter, set("a", 2));
    expect(before).toMatchObject({ payload: 1, revision });
    expect(read(adapter, "a")?.revision).not.toBe(revision);
  });
});

describe("a scan", () => {
  it("yields what exists throughout exactly once, whatever is written between its pages", () => {
    const adapter = memory();
    const all = Array.from({ length: 2000 }, (_, i) => `key ${String(i).padStart(4, "0")}`);
    for (const reverse of [false, true]) {
      write(adapter, ...all.map((key) => set(key, 1)));
      const pages = adapter.scan(ROOT, { ...EVERYTHING, reverse, limit: Infinity, keysOnly: false });
      const seen: string[] = [];
      for (const page of pages as Iterable<readonly StoredEntry[]>) {
        seen.push(...page.map(({ key }) => key));
        const last = seen.at(-1) as string;
        write(adapter, del(last), set(`${last} new`, 1), set("a", 1), set("z", 1), set("key 1000", 2));
      }
      const throughout = seen.filter((key) => all.includes(key));
      expect(throughout).toEqual(reverse ? all.toReversed() : all);
      expect(new Set(seen).size).toBe(seen.length);
    }
  });

  it("goes on in a namespace that was cleared and filled again meanwhile", () => {
    const adapter = memory();
    const other = namespaceOf(["other"]);
    const fill = (from: number, count: number) =>
      write(adapter, ...Array.from({ length: count }, (_, i) => set(String(from + i), 1)));
    fill(1000, 600);
    const pages = adapter.scan(ROOT, { ...EVERYTHING, reverse: false, limit: 300, keysOnly: false });
    const iterator = (pages as Iterable<readonly StoredEntry[]>)[Symbol.iterator]();
    expect(iterator.next().value).toHaveLength(256);
    adapter.clear(ROOT, { ...EVERYTHING, policy: undefined, descendants: true });
    adapter.commit(other, [{ checks: [], mutations: [set("x", 1)] }]);
    fill(1400, 200);
    expect(iterator.next().value?.[0]?.key).toBe("1400");
    expect(iterator.next()).toEqual({ done: true, value: undefined });
  });
});

describe("the contents", () => {
  it("are cleared by bounds and policy, and below, with a change for each entry that lived", () => {
    const clock = new Clock();
    const adapter = memory({ clock: clock.read });
    const below = namespaceOf(["a", "b"]);
    const beside = namespaceOf(["ab"]);
    const changes: string[] = [];
    const fill = () => {
      write(adapter, set("a", 1), set("b", 1, { policy: "evict" }), set("c", 1, { policy: "evict" }));
      write(adapter, set("d", 1, { policy: "evict", expiresAt: clock.time + 1 }));
      for (const namespace of [below, beside])
        adapter.commit(namespace, [{ checks: [], mutations: [set("x", 1)] }]);
    };
    fill();
    clock.time += 1;
    adapter.watch?.(ROOT, EVERYTHING, (published) => {
      for (const change of published)
        changes.push(change.type === "resync" ? "" : `${change.type} ${change.key}`);
    });
    expect(adapter.clear(ROOT, { start: "b", end: "c", policy: undefined, descendants: false })).toBe(1);
    expect(adapter.clear(ROOT, { ...EVERYTHING, policy: "evict", descendants: false })).toBe(1);
    expect(changes).toEqual(["delete b", "delete c", "expire d"]);
    expect(keys(adapter)).toEqual(["a"]);
    const filter = { ...EVERYTHING, policy: undefined, descendants: true };
    expect(adapter.clear(namespaceOf(["a"]), filter)).toBe(1);
    expect(adapter.count(beside, EVERYTHING)).toBe(1);
    expect(adapter.clear(ROOT, filter)).toBe(2);
    expect(now(adapter.stats(ROOT, EVERYTHING))).toMatchObject({ keys: 0, evictable: 0, expiring: 0 });
  });

  it("list the namespaces that hold a live entry, and forget the others", () => {
    const clock = new Clock();
    const adapter = memory({ clock: clock.read });
    const put = (path: string[], expiresAt?: number) =>
      adapter.commit(namespaceOf(path), [
        { checks: [], mutations: [set("x", 1, expiresAt === undefined ? {} : { expiresAt })] },
      ]);
    const listed = (path: string[]) =>
      [...(adapter.namespaces(namespaceOf(path)) as Iterable<readonly { readonly id: string }[]>)]
        .flat()
        .map(({ id }) => id)
        .sort();
    put([]);
    put(["a"]);
    put(["a", "b"], clock.time + 1);
    put(["ab", "c/d"]);
    expect(listed([])).toEqual(["a/", "a/b/", "ab/c~1d/"]);
    expect(listed(["a"])).toEqual(["a/b/"]);
    clock.time += 1;
    expect(listed([])).toEqual(["a/", "ab/c~1d/"]);
    adapter.commit(namespaceOf(["a"]), [{ checks: [], mutations: [del("x")] }]);
    expect(listed([])).toEqual(["ab/c~1d/"]);
  });

  it("are gone after close", () => {
    const adapter = memory();
    write(adapter, set("a", 1));
    adapter.close();
    adapter.open();
    expect(keys(adapter)).toEqual([]);
  });
});
