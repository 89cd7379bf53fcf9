import { beforeAll, describe, expect, it } from "vitest";
import { Lab, outcome } from "../lab.ts";

const lab = new Lab();

// a → b → d, a → c → d, d → a, c → gone
beforeAll(async () => {
  const vertices = await lab.db.createCollection("v");
  const edges = await lab.db.createEdgeCollection("e");
  await vertices.saveAll(["a", "b", "c", "d"].map((_key) => ({ _key })));
  const links = ["ab", "ac", "bd", "cd", "da", "cx"];
  await edges.saveAll(links.map((_key) => ({ _key, _from: `v/${_key[0]}`, _to: `v/${_key[1]}` })));
});

const walk = (depth: string, direction: string, rest = "") =>
  lab.all(
    `WITH v FOR v, e, p IN ${depth} ${direction} @start e ${rest} RETURN CONCAT_SEPARATOR("", p.edges[*]._key)`,
    {
      start: "v/a",
    },
  );

describe("a traversal", () => {
  it("goes one step unless told otherwise, outwards, inwards or either way", async () => {
    const step = (direction: string) => lab.all(`FOR v IN ${direction} 'v/a' e SORT v._key RETURN v._key`);
    expect(await step("OUTBOUND")).toEqual(["b", "c"]);
    expect(await step("INBOUND")).toEqual(["d"]);
    expect(await step("ANY")).toEqual(["b", "c", "d"]);
  });

  it("goes deep first, or broad first, and no edge twice on a path", async () => {
    const deep = await walk("1..3", "OUTBOUND", "FILTER v != null");
    expect(deep.toSorted()).toEqual(["ab", "abbd", "abbdda", "ac", "accd", "accdda"]);
    expect(deep.indexOf("abbdda")).toBeLessThan(Math.max(deep.indexOf("ab"), deep.indexOf("ac")));
    const broad = await walk("1..3", "OUTBOUND", 'OPTIONS { order: "bfs" } FILTER v != null');
    expect(broad.map((path) => String(path).length)).toEqual([2, 2, 4, 4, 6, 6]);
  });

  it("starts at depth 0 with the start itself and no edge", async () => {
    expect(await lab.all("FOR v, e IN 0..0 OUTBOUND 'v/a' e RETURN [v._key, e]")).toEqual([["a", null]]);
  });

  it("finds each vertex once with uniqueVertices global, which only a broad one may have", async () => {
    const options = (order: string) => `OPTIONS { order: "${order}", uniqueVertices: "global" }`;
    const found = await lab.all(
      `FOR v IN 0..9 OUTBOUND 'v/a' e ${options("bfs")} FILTER v != null RETURN v._key`,
    );
    expect(found.toSorted()).toEqual(["a", "b", "c", "d"]);
    expect(await outcome(walk("1..2", "OUTBOUND", options("dfs")))).toBe("400/10");
  });

  it("gives null for a vertex that is not there, with a warning", async () => {
    const cursor = await lab.db.query("FOR v, e IN 1..1 OUTBOUND 'v/c' e SORT e._key RETURN v._key");
    expect(await cursor.all()).toEqual(["d", null]);
    expect(cursor.extra.warnings).toMatchObject([{ code: 1202 }]);
  });

  it("stops where PRUNE says so, but shows that vertex", async () => {
    expect(await walk("1..3", "OUTBOUND", "PRUNE v._key == 'b' FILTER v != null")).not.toContain("abbd");
    expect(await walk("1..3", "OUTBOUND", "PRUNE v._key == 'b'")).toContain("ab");
  });

  it("takes its depth, start and edges from bind values", async () => {
    const query = "WITH @@v FOR v IN @min..@max INBOUND @start @@edges RETURN v._key";
    const bind = { "@v": "v", "@edges": "e", min: 1, max: 2, start: "v/d" };
    expect((await lab.all(query, bind)).toSorted()).toEqual(["a", "a", "b", "c"]);
  });

  it("needs an edge collection, and an id to start from", async () => {
    expect(await outcome(lab.all("FOR v IN OUTBOUND 'v/a' v RETURN v"))).toMatch(/^400\//);
    const cursor = await lab.db.query("FOR v IN OUTBOUND 'nothing' e RETURN v");
    expect(await cursor.all()).toEqual([]);
    expect(cursor.extra.warnings).toMatchObject([{ code: 10 }]);
  });

  it("goes on through edges that a filter on them leaves", async () => {
    const query =
      "FOR v, e, p IN 1..3 OUTBOUND 'v/a' e FILTER p.edges[*]._key ALL IN ['ab', 'bd'] RETURN v._key";
    expect((await lab.all(query)).toSorted()).toEqual(["b", "d"]);
  });
});

describe("edges", () => {
  it("need ends that look like ids, but not that they exist", async () => {
    const edges = lab.db.collection("e");
    for (const edge of [{}, { _from: "v/a" }, { _from: "a", _to: "v/b" }, { _from: "v/a", _to: "v/" }]) {
      expect(await outcome(edges.save(edge))).toBe("400/1233");
    }
    const { _key } = await edges.save({ _from: "v/q", _to: "w/q" });
    await edges.remove(_key);
  });

  it("are listed at a vertex by direction", async () => {
    const { edges: out } = (await lab.db.collection("e").outEdges("v/a")) as { edges: { _key: string }[] };
    expect(out.map(({ _key }) => _key).toSorted()).toEqual(["ab", "ac"]);
    const { edges: incoming } = (await lab.db.collection("e").inEdges("v/a")) as {
      edges: { _key: string }[];
    };
    expect(incoming.map(({ _key }) => _key)).toEqual(["da"]);
  });
});
