import { describe, expect, it } from "vitest";
import { Lab, outcome } from "../lab.ts";

const lab = new Lab();

const increment = "UPSERT { _key: @id } INSERT { _key: @id, n: 1 } UPDATE { n: OLD.n + 1 } IN @@c";

async function concurrently(times: number, run: (at: number) => Promise<unknown>): Promise<string[]> {
  return Promise.all(Array.from({ length: times }, (_, at) => outcome(run(at))));
}

const okays = (outcomes: readonly string[]) => outcomes.filter((each) => each === "ok").length;

describe("queries that write the same document at the same time", () => {
  it("conflict with 409/1200, and none is lost among those that succeed", async () => {
    const collection = await lab.collection();
    await collection.save({ _key: "a", n: 0 });
    const query = "FOR d IN @@c FILTER d._key == 'a' UPDATE d WITH { n: d.n + 1 } IN @@c";
    const outcomes = await concurrently(32, () => lab.all(query, { "@c": collection.name }));
    expect(new Set(outcomes)).toEqual(new Set(["ok", "409/1200"]));
    expect((await collection.document("a"))["n"]).toBe(okays(outcomes));
  });

  it("that upsert what is not there yet conflict, and none is lost among those that succeed", async () => {
    const collection = await lab.collection();
    const bind = (id: string) => ({ "@c": collection.name, id });
    const outcomes: string[] = [];
    for (let round = 0; round < 10; round++) {
      outcomes.push(...(await concurrently(8, () => lab.all(increment, bind(`k${round}`)))));
    }
    const possible = ["ok", "409/1200", "409/1210"];
    expect(outcomes.filter((each) => !possible.includes(each))).toEqual([]);
    expect(okays(outcomes)).toBeLessThan(outcomes.length);
    const [sum] = await lab.all("FOR d IN @@c COLLECT AGGREGATE s = SUM(d.n) RETURN s", {
      "@c": collection.name,
    });
    expect(sum).toBe(okays(outcomes));
  });

  it("that upsert what has come into being since their snapshot end with 1210, what is being written with 1200", async () => {
    const collection = await lab.collection();
    const upsert = (id: string) => lab.db.query(increment, { "@c": collection.name, id });
    const late = await lab.db.beginTransaction({ write: [collection] });
    await upsert("committed");
    expect(await outcome(late.step(() => upsert("committed")))).toBe("409/1210");
    const early = await lab.db.beginTransaction({ write: [collection] });
    await early.step(() => upsert("open"));
    expect(await outcome(late.step(() => upsert("open")))).toBe("409/1200");
    expect(await outcome(upsert("open"))).toBe("409/1200");
    await early.abort();
    await late.abort();
  });

  it("that wait their turn with exclusive all succeed", async () => {
    const collection = await lab.collection();
    const query = `${increment} OPTIONS { exclusive: true }`;
    const outcomes = await concurrently(16, () => lab.all(query, { "@c": collection.name, id: "a" }));
    expect(okays(outcomes)).toBe(16);
    expect((await collection.document("a"))["n"]).toBe(16);
  });

  it("that ignore what is there can still conflict", async () => {
    const collection = await lab.collection();
    const query = "INSERT { _key: 'a' } INTO @@c OPTIONS { overwriteMode: 'ignore' }";
    const outcomes = await concurrently(16, () => lab.all(query, { "@c": collection.name }));
    expect(new Set(outcomes)).toEqual(new Set(["ok", "409/1200"]));
  });

  it("leave each other alone on different documents", async () => {
    const collection = await lab.collection();
    const outcomes = await concurrently(32, (at) =>
      lab.all(increment, { "@c": collection.name, id: `k${at}` }),
    );
    expect(okays(outcomes)).toBe(32);
  });

  it("conflict over one value of a unique index, too", async () => {
    const collection = await lab.collection();
    await collection.ensureIndex({ type: "persistent", fields: ["u"], unique: true });
    const outcomes = await concurrently(8, () =>
      lab.all("INSERT { u: 1 } INTO @@c", { "@c": collection.name }),
    );
    expect(okays(outcomes)).toBe(1);
    expect((await collection.count()).count).toBe(1);
  });
});

describe("single writes over HTTP", () => {
  it("wait for the key, and do not conflict with one another", async () => {
    const collection = await lab.collection();
    await collection.save({ _key: "a" });
    expect(okays(await concurrently(32, (n) => collection.update("a", { n })))).toBe(32);
  });

  it("give up after a second on a key that a transaction holds, with 409/1200", async () => {
    const collection = await lab.collection();
    await collection.save({ _key: "a" });
    const transaction = await lab.db.beginTransaction({ write: [collection] });
    await transaction.step(() => collection.update("a", { n: 1 }));
    expect(await outcome(collection.update("a", { n: 2 }))).toBe("409/1200");
    await transaction.abort();
    expect(await outcome(collection.update("a", { n: 2 }))).toBe("ok");
  });

  it("go on as soon as the transaction ends", async () => {
    const collection = await lab.collection();
    await collection.save({ _key: "a" });
    const transaction = await lab.db.beginTransaction({ write: [collection] });
    await transaction.step(() => collection.update("a", { n: 1 }));
    const waiting = collection.update("a", { m: 2 });
    await transaction.commit();
    await waiting;
    expect(await collection.document("a")).toMatchObject({ n: 1, m: 2 });
  });
});

describe("bulk writes of the same documents at the same time", () => {
  it("conflict item by item", async () => {
    const collection = await lab.collection();
    await collection.saveAll([{ _key: "a" }, { _key: "b" }]);
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        collection.updateAll([
          { _key: "a", n },
          { _key: "b", n },
        ]),
      ),
    );
    const numbers = results.flat().map((result) => ("errorNum" in result ? result.errorNum : 0));
    expect(new Set(numbers)).toEqual(new Set([0, 1200]));
  });
});

describe("a key that came and went since the snapshot", () => {
  it("was changed, though it looks the same: 1200", async () => {
    const collection = await lab.collection();
    const transaction = await lab.db.beginTransaction({ write: [collection.name] });
    await collection.save({ _key: "k" });
    await collection.remove("k");
    const insert = (key: string) => transaction.step(() => collection.save({ _key: key }));
    expect(await outcome(insert("k"))).toBe("409/1200");
    expect(await outcome(insert("other"))).toBe("ok");
    await transaction.abort();
  });
});

describe("a query's snapshot", () => {
  it("is what was committed when it began: its own writes are not read by its loops", async () => {
    const collection = await lab.collection();
    await collection.saveAll([{ n: 1 }, { n: 2 }]);
    const query = "FOR d IN @@c INSERT { n: d.n + 10 } INTO @@c RETURN NEW.n";
    // Reading and writing one collection in one statement is allowed as long as the reading comes first.
    expect((await lab.all(query, { "@c": collection.name })).toSorted()).toEqual([11, 12]);
  });

  it("does not hold for the lookups of UPSERT, which see the query's own writes unless told not to", async () => {
    const collection = await lab.collection();
    const query = (options: string) =>
      `FOR i IN 1..3 UPSERT { u: 1 } INSERT { u: 1, n: 1 } UPDATE { n: OLD.n + 1 } IN @@c OPTIONS ${options} RETURN NEW.n`;
    expect(await lab.all(query("{}"), { "@c": collection.name })).toEqual([1, 2, 3]);
    await collection.truncate();
    expect(await lab.all(query("{ readOwnWrites: false }"), { "@c": collection.name })).toEqual([1, 1, 1]);
  });
});

describe("transfers between accounts by many clients at once", () => {
  it("keep the sum, by queries and by stream transactions", async () => {
    const collection = await lab.collection();
    const accounts = ["a", "b", "c", "d"];
    await collection.saveAll(accounts.map((_key) => ({ _key, n: 100 })));
    const byQuery = (from: string, to: string) =>
      lab.all(
        "FOR d IN @@c FILTER d._key IN [@from, @to] UPDATE d WITH { n: d.n + (d._key == @to ? 1 : -1) } IN @@c",
        { "@c": collection.name, from, to },
      );
    const byTransaction = async (from: string, to: string) => {
      const transaction = await lab.db.beginTransaction({ write: [collection] });
      try {
        for (const [key, by] of [
          [from, -1],
          [to, 1],
        ] as const) {
          const { n } = (await transaction.step(() => collection.document(key))) as { n: number };
          await transaction.step(() => collection.update(key, { n: n + by }));
        }
        await transaction.commit();
      } catch (error) {
        await transaction.abort();
        throw error;
      }
    };
    const outcomes = await concurrently(60, (at) => {
      const from = accounts[at % 4]!;
      const to = accounts[(at + 1 + (at % 3)) % 4]!;
      return at % 2 === 0 ? byQuery(from, to) : byTransaction(from, to);
    });
    expect(outcomes.filter((each) => each !== "ok" && each !== "409/1200")).toEqual([]);
    expect(okays(outcomes)).toBeGreaterThan(0);
    expect(
      await lab.all("FOR d IN @@c COLLECT AGGREGATE s = SUM(d.n) RETURN s", { "@c": collection.name }),
    ).toEqual([400]);
  });
});
