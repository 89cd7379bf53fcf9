import { describe, expect, it } from "vitest";
import { Lab, outcome } from "../lab.ts";

const lab = new Lab();

interface Batch {
  readonly id?: string;
  readonly nextBatchId?: string;
  readonly hasMore: boolean;
  readonly result: unknown[];
  readonly count?: number;
}

async function open(options: object = {}) {
  const { status, body } = await lab.send("POST", "/_api/cursor", {
    query: "FOR i IN 1..5 RETURN i",
    batchSize: 2,
    ...options,
  });
  return { status, batch: body as Batch };
}

describe("a cursor", () => {
  it("gives its results in batches, and is gone after the last", async () => {
    const { status, batch } = await open({ count: true });
    expect(status).toBe(201);
    expect(batch).toMatchObject({
      result: [1, 2],
      hasMore: true,
      count: 5,
      error: false,
      code: 201,
      cached: false,
    });
    const path = `/_api/cursor/${batch.id}`;
    expect(await lab.send("POST", path)).toMatchObject({
      status: 200,
      body: { result: [3, 4], hasMore: true, code: 200 },
    });
    const last = await lab.send("POST", path);
    expect(last.body).toMatchObject({ result: [5], hasMore: false });
    expect(last.body).not.toHaveProperty("id");
    expect(await lab.send("POST", path)).toMatchObject({ status: 404, body: { errorNum: 1600 } });
    expect(await lab.send("DELETE", path)).toMatchObject({ status: 404, body: { errorNum: 1600 } });
  });

  it("has no id where one batch is enough", async () => {
    const { batch } = await open({ batchSize: 10 });
    expect(batch).not.toHaveProperty("id");
    expect(batch).not.toHaveProperty("count");
  });

  it("can be given up", async () => {
    const { batch } = await open();
    expect((await lab.send("DELETE", `/_api/cursor/${batch.id}`)).status).toBe(202);
    expect((await lab.send("POST", `/_api/cursor/${batch.id}`)).status).toBe(404);
  });

  it("repeats its last batch, the final one too, where it was told that it may have to", async () => {
    const { batch } = await open({ options: { allowRetry: true } });
    expect(batch.nextBatchId).toBe("2");
    const get = async (number: number) => {
      const { status, body } = await lab.send("POST", `/_api/cursor/${batch.id}/${number}`);
      return status === 200 ? (body as Batch).result : status;
    };
    expect([await get(2), await get(2), await get(1), await get(4)]).toEqual([[3, 4], [3, 4], 404, 404]);
    expect([await get(3), await get(3), await get(4)]).toEqual([[5], [5], 404]);
    expect((await lab.send("DELETE", `/_api/cursor/${batch.id}`)).status).toBe(202);
  });

  it("does not repeat a batch unless it was", async () => {
    const { batch } = await open();
    expect(batch).not.toHaveProperty("nextBatchId");
    await lab.send("POST", `/_api/cursor/${batch.id}/2`);
    expect((await lab.send("POST", `/_api/cursor/${batch.id}/2`)).status).toBe(404);
  });

  it("forgets itself when nobody asks", async () => {
    const { batch } = await open({ ttl: 0.02 });
    await expect
      .poll(async () => (await lab.send("DELETE", `/_api/cursor/${batch.id}`)).status, { interval: 60 })
      .toBe(404);
  });

  it("shows a snapshot, whatever is written while it is read", async () => {
    const collection = await lab.collection();
    await collection.saveAll([{ n: 1 }, { n: 2 }, { n: 3 }]);
    const query = "FOR d IN @@c SORT d.n RETURN d.n";
    const cursor = await lab.db.query(query, { "@c": collection.name }, { batchSize: 1, allowRetry: true });
    await collection.truncate();
    expect(await cursor.all()).toEqual([1, 2, 3]);
  });

  it("refuses a batch size of 0", async () => {
    expect((await open({ batchSize: 0 })).status).toBe(400);
  });

  it("counts behind the last LIMIT with fullCount", async () => {
    const cursor = await lab.db.query(
      "FOR i IN 1..9 FILTER i > 2 LIMIT 1, 3 RETURN i",
      {},
      { fullCount: true },
    );
    expect(await cursor.all()).toEqual([4, 5, 6]);
    expect(cursor.extra.stats?.fullCount).toBe(7);
  });

  it("tells how many documents it wrote, and how it looked for them", async () => {
    const collection = await lab.collection();
    await collection.saveAll([{ n: 1 }, { n: 2 }]);
    const query = "FOR d IN @@c FILTER d.n == 1 UPDATE d WITH { m: 1 } IN @@c";
    const stats = async () => (await lab.db.query(query, { "@c": collection.name })).extra.stats;
    expect(await stats()).toMatchObject({ writesExecuted: 1, scannedFull: 2, scannedIndex: 0, filtered: 1 });
    await collection.ensureIndex({ type: "persistent", fields: ["n"] });
    expect(await stats()).toMatchObject({ writesExecuted: 1, scannedFull: 0, scannedIndex: 1, filtered: 0 });
  });
});

describe("the cost of a range", () => {
  it("is its result, not the collection", async () => {
    const collection = await lab.collection();
    await collection.ensureIndex({ type: "persistent", fields: ["ns", "k"] });
    await collection.saveAll(
      Array.from({ length: 3000 }, (_, n) => ({ ns: n % 3, k: String(n).padStart(6, "0") })),
    );
    const scanned = async (query: string) =>
      (await lab.db.query(query, { "@c": collection.name })).extra.stats;
    for (const direction of ["ASC", "DESC"]) {
      const query = `FOR d IN @@c FILTER d.ns == 1 AND d.k >= "001000" SORT d.k ${direction} LIMIT 10 RETURN d.k`;
      expect(await scanned(query)).toMatchObject({ scannedFull: 0, scannedIndex: 10 });
    }
    expect(await scanned("FOR d IN @@c COLLECT ns = d.ns RETURN ns")).toMatchObject({ scannedIndex: 3 });
  });

  it("cannot be told to use an index that does not serve", async () => {
    const { name } = await lab.collection();
    const query = "FOR d IN @@c OPTIONS { indexHint: 'none', forceIndexHint: true } FILTER d.n == 1 RETURN d";
    expect(await outcome(lab.db.query(query, { "@c": name }))).toBe("400/1577");
  });
});
