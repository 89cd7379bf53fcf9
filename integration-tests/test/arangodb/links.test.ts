import { arangodb, links, type Related } from "@kv/arangodb";
import { compareKeys, createStore, type KvError, type Store } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Dependency, dependencyGraph } from "./dependency-graph.ts";
import { inEveryPlace, type Place } from "./places.ts";

/** The same answer by looking at all links of a graph in memory. */
function reachable(
  graph: readonly Dependency[],
  start: string,
  depth: number,
  direction: "out" | "in" | "any",
  type?: string,
): Related[] {
  const seen = new Set([start]);
  const found: Related[] = [];
  let level = [start];
  for (let at = 1; at <= depth; at++) {
    const next = new Set<string>();
    for (const { from, to, type: its } of graph) {
      if (type !== undefined && its !== type) continue;
      if (direction !== "in" && level.includes(from) && !seen.has(to)) next.add(to);
      if (direction !== "out" && level.includes(to) && !seen.has(from)) next.add(from);
    }
    level = [...next].sort(compareKeys);
    for (const key of level) {
      seen.add(key);
      found.push({ key, depth: at });
    }
  }
  return found;
}

await inEveryPlace("da", (place) => describe("links", () => testsOf(place)));

function testsOf(place: Place): void {
  const storeFor = (name: string): Store => {
    const collection = place.collection(name);
    const store = createStore(arangodb({ url: place.url("links"), collection }), { timeout: 20 });
    onTestFinished(() => store.close());
    return store;
  };

  test("1,000 dependencies of real packages, to a depth of 3, are what the same graph in memory gives", async () => {
    const graph = dependencyGraph(1000);
    expect(graph).toHaveLength(1000);
    const store = storeFor("packages");
    const packages = [...new Set(graph.flatMap(({ from, to }) => [from, to]))];
    await store.setMany(packages.map((name) => [name, { name }]));
    const { linkMany, related } = links(store);
    const linked = await linkMany(graph.map(({ from, type, to }) => [from, type, to] as const));
    expect(linked.every((done) => done)).toBe(true);
    // The packages with the most links, incoming or outgoing.
    const degrees = Map.groupBy(
      graph.flatMap(({ from, to }) => [from, to]),
      (name) => name,
    );
    const starts = packages
      .sort((a, b) => (degrees.get(b)?.length ?? 0) - (degrees.get(a)?.length ?? 0))
      .slice(0, 12);
    for (const start of starts) {
      for (const direction of ["out", "in", "any"] as const) {
        for (const type of [undefined, "dependencies"]) {
          const expected = reachable(graph, start, 3, direction, type);
          expect(await related(start, { direction, depth: 3, type })).toEqual(expected);
        }
      }
    }
  }, 60_000);

  test("link, unlink, types, directions and depths", async () => {
    const store = storeFor("small");
    await store.setMany(["a", "b", "c", "d"].map((key) => [key, key]));
    const { link, unlink, related } = links(store);
    expect(await link("a", "knows", "b")).toBe(true);
    expect(await link("a", "knows", "b")).toBe(true);
    expect(await link("b", "likes", "c")).toBe(true);
    expect(await link("c", "knows", "a")).toBe(true);
    const { linkMany } = links(store);
    const ends = ["a", "knows", "absent"] as const;
    expect(await linkMany([ends, ["a", "knows", "d"], ["a", "knows", "d"], ends])).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(await unlink("a", "knows", "d")).toBe(true);
    expect(await linkMany([])).toEqual([]);
    expect(await related("a")).toEqual([{ key: "b", depth: 1 }]);
    expect(await related("a", { direction: "in" })).toEqual([{ key: "c", depth: 1 }]);
    expect(await related("a", { direction: "any", depth: 5 })).toEqual([
      { key: "b", depth: 1 },
      { key: "c", depth: 1 },
    ]);
    expect(await related("a", { depth: 10, type: ["knows"] })).toEqual([{ key: "b", depth: 1 }]);
    expect(await related("absent", { depth: 3 })).toEqual([]);
    expect(await unlink("a", "knows", "b")).toBe(true);
    expect(await unlink("a", "knows", "b")).toBe(false);
    expect(await related("a", { depth: 3 })).toEqual([]);
  });

  test("an entry that vanishes takes its links along, however it does, and a new one of its key has none", async () => {
    const store = storeFor("vanishing");
    const { link, unlink, related } = links(store);
    const ways: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["delete", () => store.delete("b")],
      ["take", () => store.take("b")],
      ["atomic", () => store.atomic().delete("b").set("x", 1).commit()],
      ["clear", () => store.clear({ prefix: "b" })],
      ["expiry", () => store.set("b", 1, { expiresAt: Date.now() - 1000 })],
      [
        "expiry and sweep",
        () => store.set("b", 1, { expiresAt: Date.now() - 1000 }).then(() => store.sweep()),
      ],
    ];
    for (const [way, vanish] of ways) {
      await store.setMany(["a", "b", "c"].map((key) => [key, key]));
      await link("a", way, "b");
      await link("b", way, "c");
      expect(await related("a", { type: way, depth: 2 }), way).toHaveLength(2);
      await vanish();
      expect(await related("a", { type: way, depth: 2 }), way).toEqual([]);
      await store.set("b", "anew");
      expect(await related("a", { type: way, depth: 2 }), way).toEqual([]);
      expect(await related("c", { type: way, direction: "in" }), way).toEqual([]);
      expect(await unlink("a", way, "b"), way).toBe(false);
    }
  });

  test("a set of an entry that is there, an increment and a touch keep its links", async () => {
    const store = storeFor("staying");
    const { link, related } = links(store);
    await store.setMany(["a", "b"].map((key) => [key, 1]));
    await link("a", "to", "b");
    await store.set("b", 2);
    await store.increment("b");
    await store.update("b", (value) => Number(value) + 1);
    await Promise.all([store.set("b", 5), store.increment("b"), store.updateTtl("b", 100)]);
    expect(await related("a")).toEqual([{ key: "b", depth: 1 }]);
  });

  test("a sweep takes out the edges of entries that are gone", async () => {
    const store = storeFor("swept");
    const { link } = links(store);
    await store.setMany(["a", "b", "c"].map((key) => [key, 1]));
    await link("a", "to", "b");
    await link("a", "to", "c");
    await store.delete("b");
    await store.sweep();
    const edges = await place
      .database("links")
      .collection(`${place.collection("swept")}_links`)
      .count();
    expect(edges.count).toBe(1);
  });

  test("belong to a namespace and a scope", async () => {
    const store = storeFor("scoped");
    const [one, other] = [store.scope("s"), store.namespace("n")];
    for (const each of [store, one, other]) await each.setMany(["a", "b"].map((key) => [key, 1]));
    await links(one).link("a", "to", "b");
    await links(store).link("s:b", "to", "a");
    expect(await links(one).related("a", { depth: 3 })).toEqual([{ key: "b", depth: 1 }]);
    expect(await links(other).related("a")).toEqual([]);
    expect(await links(store).related("s:a", { depth: 2 })).toEqual([
      { key: "s:b", depth: 1 },
      { key: "a", depth: 2 },
    ]);
  });

  test("are refused where the store is another one, only reads, or the options are none", async () => {
    const codeOf = (error: KvError) => error.code;
    expect(() => links(createStore(memory()))).toThrow(/needs a store over arangodb/);
    const store = storeFor("refused");
    await store.setMany(["a", "b"].map((key) => [key, 1]));
    expect(await links(store.readonly()).link("a", "to", "b").catch(codeOf)).toBe("KV_READ_ONLY");
    expect(await links(store).link("a", "", "b").catch(codeOf)).toBe("KV_INVALID_OPTION");
    expect(await links(store).link("", "to", "b").catch(codeOf)).toBe("KV_INVALID_KEY");
    for (const none of [undefined, "a", 1, [["a", "to"]], [null], ["a to b"]]) {
      const wanted = none as unknown as [string, string, string][];
      expect(await links(store).linkMany(wanted).catch(codeOf), String(none)).toBe("KV_INVALID_OPTION");
    }
    expect(await links(store).related("a", { depth: 11 }).catch(codeOf)).toBe("KV_INVALID_OPTION");
    expect(
      await links(store)
        .related("a", { directon: "in" } as object)
        .catch(codeOf),
    ).toBe("KV_INVALID_OPTION");
  });
}
