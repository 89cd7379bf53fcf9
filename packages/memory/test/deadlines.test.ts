import { namespaceOf, type StoredChange } from "@kv/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memory } from "../src/index.ts";
import { Deadlines } from "../src/keyspace/deadlines.ts";
import { MemoryEntry } from "../src/stored/entry.ts";
import { Cell, Keyspace } from "../src/stored/keyspace.ts";
import { Clock, commit, del, EVERYTHING, keys, now, ROOT, read, set, write } from "./writing.ts";

const HOUR = 3_600_000;

function entryDue(due: number | undefined): MemoryEntry {
  return new MemoryEntry(
    "k",
    { payload: 1, encoding: "json", policy: "persist", user: undefined },
    1,
    0,
    0,
    due,
  );
}

describe("the deadlines", () => {
  it("give the cells that are due, however they were filed, moved and removed", () => {
    const change = fc.record({ at: fc.nat(40), due: fc.option(fc.nat(100), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300 }), fc.nat(100), (changes, time) => {
        const keyspace = new Keyspace(namespaceOf([]));
        const cells = Array.from(
          { length: 41 },
          (_, i) => new Cell(String(i), keyspace, entryDue(undefined)),
        );
        const deadlines = new Deadlines();
        for (const { at, due } of changes) {
          const cell = cells[at] as Cell;
          cell.entry = entryDue(due);
          if (due === undefined) deadlines.remove(cell);
          else deadlines.file(cell, due);
        }
        const due = cells.filter((cell) => cell.entry.isDue(time));
        expect(deadlines.size).toBe(cells.filter((cell) => cell.entry.due !== undefined).length);
        expect(new Set(deadlines.due(time))).toEqual(new Set(due));
        const taken: Cell[] = [];
        for (let cell = deadlines.first(time); cell !== undefined; cell = deadlines.first(time)) {
          if (cell.entry.isDue(time)) {
            taken.push(cell);
            deadlines.remove(cell);
          } else deadlines.refileFirst();
        }
        expect(taken).toHaveLength(due.length);
        expect(new Set(taken)).toEqual(new Set(due));
      }),
    );
  });

  it("hold one place for a key, however often it is refreshed, and none once it is gone", () => {
    const deadlines = new Deadlines();
    const cell = new Cell("k", new Keyspace(namespaceOf([])), entryDue(1));
    for (let due = 0; due < 1000; due++) {
      cell.entry = entryDue(due);
      deadlines.file(cell, due);
    }
    expect(deadlines.size).toBe(1);
    deadlines.remove(cell);
    deadlines.remove(cell);
    expect(deadlines.size).toBe(0);
  });
});

describe("expiry", () => {
  it("makes an entry absent from its deadline on, for every operation", () => {
    const clock = new Clock();
    const adapter = memory({ clock: clock.read });
    const due = clock.time + HOUR;
    write(adapter, set("a", 1, { expiresAt: due, policy: "evict" }), set("b", 1));
    clock.time = due - 1;
    expect(read(adapter, "a")).toMatchObject({
      expiresAt: due,
      createdAt: due - HOUR,
      updatedAt: due - HOUR,
    });
    expect(adapter.count(ROOT, EVERYTHING)).toBe(2);
    clock.time = due;
    expect(keys(adapter)).toEqual(["b"]);
    expect(keys(adapter, true)).toEqual(["b"]);
    expect(adapter.count(ROOT, EVERYTHING)).toBe(1);
    expect(adapter.stats(ROOT, EVERYTHING)).toMatchObject({ keys: 1, expiring: 0, evictable: 0 });
    expect(read(adapter, "a")).toBeUndefined();
    expect(commit(adapter, { checks: [{ key: "a", revision: null }], mutations: [] }).status).toBe("ok");
  });

  it("is told of once, by whoever meets it first", () => {
    const clock = new Clock();
    const adapter = memory({ clock: clock.read });
    const changes: string[] = [];
    adapter.watch?.(ROOT, EVERYTHING, (published: readonly StoredChange[]) => {
      for (const change of published)
        changes.push(change.type === "resync" ? "" : `${change.type} ${change.key}`);
    });
    for (const key of ["read", "written", "swept"])
      write(adapter, set(key, 1, { expiresAt: clock.time + 1 }));
    changes.length = 0;
    clock.time += 1;
    read(adapter, "read");
    write(adapter, set("written", 2));
    expect(adapter.sweep()).toBe(1);
    expect(adapter.sweep()).toBe(0);
    expect(changes).toEqual(["expire read", "expire written", "set written", "expire swept"]);
  });

  it("gives a key that is written anew a creation of its own", () => {
    const clock = new Clock();
    const adapter = memory({ clock: clock.read });
    write(adapter, set("a", 1, { expiresAt: clock.time + 5 }));
    clock.time += 5;
    write(adapter, set("a", 1));
    expect(read(adapter, "a")?.createdAt).toBe(clock.time);
    clock.time += 5;
    write(adapter, set("a", 2));
    expect(read(adapter, "a")).toMatchObject({ createdAt: clock.time - 5, updatedAt: clock.time });
  });

  it("leaves the key absent where the deadline is past already, and tells so", () => {
    const clock = new Clock();
    const adapter = memory({ clock: clock.read });
    write(adapter, set("a", 1));
    const changes: string[] = [];
    adapter.watch?.(ROOT, EVERYTHING, (published) => changes.push(...published.map(({ type }) => type)));
    const result = write(adapter, set("a", 2, { expiresAt: clock.time }));
    expect(result).toMatchObject({ status: "ok", outcomes: [{ revision: expect.any(String) }] });
    expect(read(adapter, "a")).toBeUndefined();
    expect(write(adapter, set("b", 2, { expiresAt: 1 }), del("b"))).toMatchObject({
      outcomes: [{}, { existed: false }],
    });
    expect(changes).toEqual(["expire"]);
  });

  it("keeps, moves and clears deadlines", () => {
    const clock = new Clock();
    const adapter = memory({ clock: clock.read });
    const touch = (expiresAt: number | null) =>
      ({ type: "touch", key: "a", expiresAt, policy: undefined }) as const;
    write(adapter, set("a", 1, { expiresAt: clock.time + 10 }));
    write(adapter, set("a", 2, { expiresAt: "keep" }));
    expect(read(adapter, "a")?.expiresAt).toBe(clock.time + 10);
    write(adapter, touch(clock.time + HOUR));
    clock.time += 10;
    expect(adapter.sweep()).toBe(0);
    write(adapter, touch(clock.time + 5));
    clock.time += 5;
    expect(adapter.sweep()).toBe(1);
    write(adapter, set("a", 1, { expiresAt: clock.time + 1 }));
    write(adapter, touch(null));
    clock.time += 5;
    expect(adapter.sweep()).toBe(0);
    expect(read(adapter, "a")?.expiresAt).toBeUndefined();
  });

  it("spares what was rewritten while a long sweep was under way", async () => {
    const clock = new Clock();
    const adapter = memory({ clock: clock.read });
    const count = 30_000;
    const mutations = Array.from({ length: count }, (_, i) =>
      set(`key ${i}`, i, { expiresAt: clock.time + 1 }),
    );
    write(adapter, ...mutations);
    clock.time += 1;
    const swept = adapter.sweep();
    expect(swept).toBeInstanceOf(Promise);
    write(adapter, set("key 29999", "new"), set("key 29998", "new", { expiresAt: clock.time + HOUR }));
    // Both were either reclaimed by their rewriting or by the first slice.
    expect(await swept).toBeGreaterThanOrEqual(count - 2);
    expect(keys(adapter)).toEqual(["key 29998", "key 29999"]);
    expect(adapter.stats(ROOT, EVERYTHING)).toMatchObject({ keys: 2, expiring: 1 });
  });

  it("counts exactly while much is due and nothing was swept", () => {
    const clock = new Clock();
    const adapter = memory({ clock: clock.read });
    const count = 30_000;
    write(
      adapter,
      ...Array.from({ length: count }, (_, i) => set(`due ${i}`, i, { expiresAt: clock.time + 1 })),
    );
    write(adapter, set("alive", 1, { expiresAt: clock.time + HOUR }));
    clock.time += 1;
    expect(adapter.count(ROOT, EVERYTHING)).toBe(1);
    expect(adapter.count(ROOT, { start: "due", end: "due 2" })).toBe(0);
    expect(adapter.stats(ROOT, EVERYTHING)).toMatchObject({ keys: 1, expiring: 1 });
    expect(adapter.stats(ROOT, { start: "b", end: undefined })).toMatchObject({ keys: 0 });
  });

  it("gives its space back without being asked twice", () => {
    const clock = new Clock();
    const adapter = memory({ clock: clock.read });
    const session = (i: number) => set(`session ${i % 100}`, i, { expiresAt: clock.time + HOUR });
    for (let i = 0; i < 20_000; i++) {
      clock.time += 1;
      write(adapter, session(i));
      if (i % 3 === 0) write(adapter, del(`session ${i % 100}`));
    }
    clock.time += HOUR;
    expect(now(adapter.sweep())).toBeLessThanOrEqual(100);
    expect(keys(adapter)).toEqual([]);
    expect(adapter.stats(ROOT, EVERYTHING)).toMatchObject({ keys: 0, expiring: 0 });
  });

  it("survives a clock that jumps back, and deadlines far away", () => {
    const clock = new Clock();
    const adapter = memory({ clock: clock.read });
    const start = clock.time;
    write(adapter, set("soon", 1, { expiresAt: start + 10 }), set("far", 1, { expiresAt: start + 1e12 }));
    clock.time = start + 10;
    expect(keys(adapter)).toEqual(["far"]);
    clock.time = start - HOUR;
    expect(keys(adapter)).toEqual(["far", "soon"]);
    write(adapter, set("early", 1, { expiresAt: start - 1 }));
    clock.time = start + 10;
    expect(adapter.sweep()).toBe(2);
    expect(read(adapter, "far")?.expiresAt).toBe(start + 1e12);
    clock.time = start + 1e12;
    expect(adapter.sweep()).toBe(1);
  });
});
