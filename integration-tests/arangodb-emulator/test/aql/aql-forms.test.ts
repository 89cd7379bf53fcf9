import { beforeEach, describe, expect, it } from "vitest";
import { Lab, outcome } from "../lab.ts";

const lab = new Lab({ language: "en_US" });
let name = "";
const bind = () => ({ "@c": name });

beforeEach(async () => {
  name = (await lab.collection()).name;
});

describe("the forms that a key-value adapter needs", () => {
  it("scan a range without what has expired", async () => {
    const collection = lab.db.collection(name);
    await collection.ensureIndex({ type: "persistent", fields: ["ns", "k"] });
    await collection.saveAll([
      { ns: "n", k: "1" },
      { ns: "n", k: "2", x: 5 },
      { ns: "n", k: "3", x: 50 },
      { ns: "n", k: "4", x: null },
      { ns: "m", k: "2" },
    ]);
    const query = `FOR d IN @@c FILTER d.ns == @ns AND d.k >= @lo AND d.k < @hi AND (d.x == null OR d.x > @now)
      SORT d.k ASC LIMIT @n RETURN d.k`;
    const values = { ...bind(), ns: "n", lo: "1", hi: "5", now: 10 };
    expect(await lab.all(query, { ...values, n: 10 })).toEqual(["1", "3", "4"]);
    expect(await lab.all(query, { ...values, n: 2 })).toEqual(["1", "3"]);
    // Null is below every number, so without the first half unexpiring documents are gone.
    expect(await lab.all("FOR d IN @@c FILTER d.ns == 'n' AND d.x > 10 RETURN d.k", bind())).toEqual(["3"]);
  });

  it("upsert with OLD and NEW", async () => {
    const query = `UPSERT { _key: @id } INSERT { _key: @id, ca: 1, n: 1 } REPLACE { n: 2, ca: OLD.ca } IN @@c
      RETURN { n: NEW.n, ca: NEW.ca, created: OLD == null }`;
    expect(await lab.all(query, { ...bind(), id: "a" })).toEqual([{ n: 1, ca: 1, created: true }]);
    expect(await lab.all(query, { ...bind(), id: "a" })).toEqual([{ n: 2, ca: 1, created: false }]);
  });

  it("write many documents at once", async () => {
    const query = `FOR doc IN @docs INSERT doc INTO @@c OPTIONS { overwriteMode: "replace" } RETURN [OLD.n, NEW.n]`;
    const write = (n: number) =>
      lab.all(query, {
        ...bind(),
        docs: [
          { _key: "a", n },
          { _key: "b", n },
        ],
      });
    expect(await write(1)).toEqual([
      [null, 1],
      [null, 1],
    ]);
    expect(await write(2)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it("compare and set, by a filter or by ignoreRevs", async () => {
    const { _rev } = await lab.db.collection(name).save({ _key: "a" });
    const byFilter = `FOR d IN @@c FILTER d._key == @id AND d._rev == @rev REPLACE d WITH @doc IN @@c RETURN NEW._rev`;
    const [next] = await lab.all(byFilter, { ...bind(), id: "a", rev: _rev, doc: { n: 1 } });
    expect(next).toBeTypeOf("string");
    expect(await lab.all(byFilter, { ...bind(), id: "a", rev: _rev, doc: { n: 2 } })).toEqual([]);
    const byRevision = `REPLACE { _key: @id, _rev: @rev } WITH @doc IN @@c OPTIONS { ignoreRevs: false }`;
    const stale = lab.all(byRevision, { ...bind(), id: "a", rev: _rev, doc: { n: 3 } });
    expect(await outcome(stale)).toBe("409/1200");
    expect(await outcome(lab.all(byRevision, { ...bind(), id: "a", rev: next, doc: { n: 4 } }))).toBe("ok");
  });

  it("increment, starting anew where the document has expired", async () => {
    const query = `LET now = DATE_NOW() UPSERT { _key: @id } INSERT { _key: @id, n: @by }
      UPDATE { n: ((OLD.x != null AND OLD.x * 1000 <= now) ? 0 : OLD.n) + @by } IN @@c RETURN NEW.n`;
    const increment = async () => (await lab.all(query, { ...bind(), id: "a", by: 2 }))[0];
    expect([await increment(), await increment()]).toEqual([2, 4]);
    await lab.db.collection(name).update("a", { x: 1 });
    expect(await increment()).toBe(2);
  });

  it("lock with a fence that grows", async () => {
    const query = `LET now = DATE_NOW() LET cur = DOCUMENT(@@c, @id)
      FILTER cur == null OR cur.owner == null OR cur.until <= now
      UPSERT { _key: @id } INSERT { _key: @id, owner: @o, fence: 1, until: now + @ttl }
      UPDATE { owner: @o, fence: OLD.fence + 1, until: now + @ttl } IN @@c RETURN NEW.fence`;
    const lock = (o: string, ttl: number) => lab.all(query, { ...bind(), id: "l", o, ttl });
    expect(await lock("me", 100_000)).toEqual([1]);
    expect(await lock("you", 100_000)).toEqual([]);
    await lab.db.collection(name).update("l", { owner: null });
    expect(await lock("you", -1)).toEqual([2]);
    expect(await lock("me", 1)).toEqual([3]);
  });

  it("delete a range and count it", async () => {
    await lab.db.collection(name).saveAll([{ k: 1 }, { k: 2 }, { k: 3 }]);
    const query = "FOR d IN @@c FILTER d.k >= 2 REMOVE d IN @@c COLLECT WITH COUNT INTO n RETURN n";
    expect(await lab.all(query, bind())).toEqual([2]);
    expect(await lab.all(query, bind())).toEqual([0]);
  });

  it("list namespaces, with an index and without", async () => {
    const collection = lab.db.collection(name);
    await collection.saveAll(["b", "a", "b", "C"].map((ns) => ({ ns })));
    const query = "FOR d IN @@c COLLECT ns = d.ns RETURN ns";
    expect(await lab.all(query, bind())).toEqual(["a", "b", "C"]);
    await collection.ensureIndex({ type: "persistent", fields: ["ns", "k"] });
    expect(await lab.all(query, bind())).toEqual(["a", "b", "C"]);
  });
});

describe("a LIMIT behind a modification", () => {
  it("prevents no write", async () => {
    expect(await lab.all("FOR i IN 1..5 INSERT { i } INTO @@c LIMIT 1 RETURN NEW.i", bind())).toEqual([1]);
    expect(await lab.all("RETURN LENGTH(@@c)", bind())).toEqual([5]);
  });
});

describe("a query that fails half way", () => {
  it("has written nothing", async () => {
    const query = "FOR k IN ['a', 'b', 'a'] INSERT { _key: k } INTO @@c";
    expect(await outcome(lab.all(query, bind()))).toBe("409/1210");
    expect(await lab.all("RETURN LENGTH(@@c)", bind())).toEqual([0]);
  });

  it("goes on over errors that it is told to ignore", async () => {
    const query =
      "FOR k IN ['a', 'b', 'a'] INSERT { _key: k } INTO @@c OPTIONS { ignoreErrors: true } RETURN NEW._key";
    expect(await lab.all(query, bind())).toEqual(["a", "b"]);
  });
});

describe("COLLECT", () => {
  it("groups by bytes, sorts by the language, and hands on the members", async () => {
    const docs = [
      { g: "b", n: 1 },
      { g: "a", n: 2 },
      { g: "B", n: 3 },
      { g: "b", n: 4 },
    ];
    expect(await lab.all("FOR d IN @docs COLLECT g = d.g INTO m = d.n RETURN [g, m]", { docs })).toEqual([
      ["a", [2]],
      ["B", [3]],
      ["b", [1, 4]],
    ]);
    expect(await lab.all("FOR d IN @docs COLLECT g = d.g INTO m RETURN m[*].d.n", { docs })).toEqual([
      [2],
      [3],
      [1, 4],
    ]);
    expect(
      await lab.all("FOR d IN @docs LET x = d.n COLLECT g = d.g INTO m KEEP x RETURN m", { docs }),
    ).toEqual([[{ x: 2 }], [{ x: 3 }], [{ x: 1 }, { x: 4 }]]);
  });

  it("aggregates, over groups and over everything, be it nothing", async () => {
    const query = `FOR d IN @docs COLLECT g = d.g AGGREGATE s = SUM(d.n), lo = MIN(d.n), c = COUNT() RETURN { g, s, lo, c }`;
    expect(
      await lab.all(query, {
        docs: [
          { g: 1, n: 2 },
          { g: 1, n: 3 },
        ],
      }),
    ).toEqual([{ g: 1, s: 5, lo: 2, c: 2 }]);
    expect(await lab.all("LET a = 7 FOR d IN [] COLLECT AGGREGATE m = MAX(d) RETURN [a, m]")).toEqual([
      [7, null],
    ]);
    expect(await lab.all("FOR d IN [] COLLECT g = d RETURN g")).toEqual([]);
    expect(await outcome(lab.all("FOR d IN [] COLLECT AGGREGATE m = CONCAT(d) RETURN m"))).toBe("400/1574");
  });

  it("ends the scope of the loops before it", async () => {
    expect(await outcome(lab.all("FOR d IN [1] COLLECT g = d RETURN d"))).toBe("404/1203");
  });
});

describe("subqueries, joins and RETURN DISTINCT", () => {
  it("work as written", async () => {
    expect(await lab.all("FOR a IN 1..2 FOR b IN [a, a * 10] FILTER b != 2 RETURN [a, b]")).toEqual([
      [1, 1],
      [1, 10],
      [2, 20],
    ]);
    expect(await lab.all("FOR a IN 1..2 LET s = (FOR b IN 1..a RETURN b * a) RETURN s")).toEqual([
      [1],
      [2, 4],
    ]);
    expect(await lab.all("FOR a IN [1, 2, 1, [1], [1]] RETURN DISTINCT a")).toEqual([1, 2, [1]]);
    expect(await lab.all("RETURN LENGTH(FOR a IN 1..3 RETURN a)")).toEqual([3]);
    expect(await lab.all("FOR i IN 1..5 SORT i DESC LIMIT 1, 2 RETURN i")).toEqual([4, 3]);
  });
});

describe("INSERT with overwriteMode ignore", () => {
  it("returns no NEW for what was there", async () => {
    const query = `INSERT { _key: "a" } INTO @@c OPTIONS { overwriteMode: "ignore" } RETURN NEW`;
    expect((await lab.all(query, bind()))[0]).toMatchObject({ _key: "a" });
    expect(await lab.all(query, bind())).toEqual([null]);
  });
});

describe("attribute names with a dot", () => {
  it("are no paths: an index over a.b does not serve them", async () => {
    const collection = lab.db.collection(name);
    await collection.ensureIndex({ type: "persistent", fields: ["a.b"] });
    await collection.saveAll([
      { _key: "nested", a: { b: 1 } },
      { _key: "flat", "a.b": 1 },
    ]);
    expect(await lab.all("FOR d IN @@c FILTER d.a.b == 1 RETURN d._key", bind())).toEqual(["nested"]);
    expect(await lab.all("FOR d IN @@c FILTER d['a.b'] == 1 RETURN d._key", bind())).toEqual(["flat"]);
    expect(await lab.all("FOR d IN @@c FILTER d.`a.b` == 1 RETURN d._key", bind())).toEqual(["flat"]);
    const upsert = (example: string) =>
      `UPSERT ${example} INSERT { new: true } UPDATE { found: true } IN @@c RETURN NEW._key`;
    expect(await lab.all(upsert("{ a: { b: 1 } }"), bind())).toEqual(["nested"]);
    expect(await lab.all(upsert("{ 'a.b': 1 }"), bind())).toEqual(["flat"]);
    expect(
      await lab.all(
        "UPSERT FILTER $CURRENT.a.b == 1 INSERT {} UPDATE { n: 1 } IN @@c RETURN OLD._key",
        bind(),
      ),
    ).toEqual(["nested"]);
  });
});
