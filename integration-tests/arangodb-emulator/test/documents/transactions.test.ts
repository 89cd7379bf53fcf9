import { describe, expect, it } from "vitest";
import { TransactionRegistry } from "../../src/server/transaction-registry.ts";
import { Lab, outcome } from "../lab.ts";

const lab = new Lab();

describe("a stream transaction", () => {
  it("sees its own writes, and nobody else does before the commit", async () => {
    const collection = await lab.collection();
    const transaction = await lab.db.beginTransaction({ write: [collection] });
    await transaction.step(() => collection.save({ _key: "a" }));
    expect(await collection.documentExists("a")).toBe(false);
    expect(await transaction.step(() => collection.documentExists("a"))).toBe(true);
    const query = "FOR d IN @@c RETURN d._key";
    const cursor = await transaction.step(() => lab.db.query(query, { "@c": collection.name }));
    expect(await cursor.all()).toEqual(["a"]);
    expect(await transaction.step(() => collection.count())).toMatchObject({ count: 1 });
    expect(await transaction.commit()).toMatchObject({ status: "committed" });
    expect(await collection.documentExists("a")).toBe(true);
  });

  it("reads the state as of its beginning", async () => {
    const collection = await lab.collection();
    await collection.save({ _key: "a", n: 1 });
    const transaction = await lab.db.beginTransaction({ read: [collection] });
    await collection.update("a", { n: 2 });
    await collection.save({ _key: "b" });
    expect(await transaction.step(() => collection.document("a"))).toMatchObject({ n: 1 });
    expect(await transaction.step(() => collection.documentExists("b"))).toBe(false);
    await transaction.commit();
  });

  it("leaves nothing behind when aborted", async () => {
    const collection = await lab.collection();
    const transaction = await lab.db.beginTransaction({ write: [collection] });
    await transaction.step(() => collection.save({ _key: "a" }));
    expect(await transaction.abort()).toMatchObject({ status: "aborted" });
    expect(await collection.documentExists("a")).toBe(false);
    expect(await outcome(collection.save({ _key: "a" }))).toBe("ok");
  });

  it("conflicts with the writer that came first: 1200, and does not end by that", async () => {
    const collection = await lab.collection();
    await collection.saveAll([
      { _key: "a", n: 0 },
      { _key: "b", n: 0 },
    ]);
    const first = await lab.db.beginTransaction({ write: [collection] });
    const second = await lab.db.beginTransaction({ write: [collection] });
    await first.step(() => collection.update("a", { n: 1 }));
    expect(await outcome(second.step(() => collection.update("a", { n: 2 })))).toBe("409/1200");
    expect((await second.get()).status).toBe("running");
    expect(await outcome(second.step(() => collection.update("b", { n: 2 })))).toBe("ok");
    await first.commit();
    expect(await outcome(second.step(() => collection.update("a", { n: 2 })))).toBe("409/1200");
    await second.abort();
    expect(await collection.documents(["a", "b"])).toMatchObject([{ n: 1 }, { n: 0 }]);
  });

  it("conflicts with what was committed after it began, though it was not locked any more", async () => {
    const collection = await lab.collection();
    await collection.save({ _key: "a", n: 0 });
    const transaction = await lab.db.beginTransaction({ write: [collection] });
    await collection.update("a", { n: 1 });
    expect(await outcome(transaction.step(() => collection.update("a", { n: 2 })))).toBe("409/1200");
    expect(await outcome(transaction.step(() => collection.remove("a")))).toBe("409/1200");
    await transaction.abort();
  });

  it("permits write skew: what is only read is not checked", async () => {
    const collection = await lab.collection();
    await collection.saveAll([
      { _key: "a", on: true },
      { _key: "b", on: true },
    ]);
    const first = await lab.db.beginTransaction({ write: [collection] });
    const second = await lab.db.beginTransaction({ write: [collection] });
    await first.step(() => collection.document("b"));
    await second.step(() => collection.document("a"));
    await first.step(() => collection.update("a", { on: false }));
    await second.step(() => collection.update("b", { on: false }));
    expect([await outcome(first.commit()), await outcome(second.commit())]).toEqual(["ok", "ok"]);
  });

  it("waits for a collection that another one holds exclusively", async () => {
    const collection = await lab.collection();
    const first = await lab.db.beginTransaction({ exclusive: [collection] });
    const refused = lab.db.beginTransaction({ write: [collection] }, { lockTimeout: 0.05 });
    expect(await outcome(refused)).toBe("500/18");
    const second = lab.db.beginTransaction({ exclusive: [collection] });
    await first.step(() => collection.save({ _key: "a" }));
    await first.commit();
    const granted = await second;
    // Its snapshot is taken with the lock in hand.
    expect(await granted.step(() => collection.documentExists("a"))).toBe(true);
    await granted.abort();
  });

  it("writes only what it has declared: 1652; reads others unless that is forbidden", async () => {
    const collection = await lab.collection();
    const other = await lab.collection();
    const transaction = await lab.db.beginTransaction({ write: [collection] });
    expect(await outcome(transaction.step(() => other.save({})))).toBe("400/1652");
    const insert = () => lab.db.query("INSERT {} INTO @@c", { "@c": other.name });
    expect(await outcome(transaction.step(insert))).toBe("400/1652");
    expect(await transaction.step(() => other.documentExists("a"))).toBe(false);
    await transaction.abort();
    const strict = await lab.db.beginTransaction({ write: [collection] }, { allowImplicit: false });
    expect(await outcome(strict.step(() => other.document("a")))).toBe("400/1652");
    await strict.abort();
  });

  it("takes one step at a time: a second one meets error 28", async () => {
    let ids = 0;
    const registry = new TransactionRegistry(() => String(++ids), 60_000);
    const declared = {
      read: new Set<string>(),
      write: new Set<string>(),
      exclusive: new Set<string>(),
      allowImplicit: true,
    };
    const id = await registry.begin({
      database: "d",
      collections: [],
      targets: new Map(),
      declared,
      lockTimeout: 1,
    });
    const steps = [1, 2].map((n) => registry.use(id, "d", () => n));
    expect(await Promise.allSettled(steps)).toMatchObject([
      { status: "fulfilled", value: 1 },
      { status: "rejected", reason: { errorNum: 28, code: 500 } },
    ]);
    expect(await registry.use(id, "d", () => 3)).toBe(3);
    registry.close();
  });

  it("that is unknown is 404/1655, that was aborted 410/1654", async () => {
    const collection = await lab.collection();
    const unknown = lab.db.transaction("12345");
    expect(await outcome(unknown.get())).toBe("404/1655");
    expect(await outcome(unknown.commit())).toBe("404/1655");
    expect(await outcome(unknown.step(() => collection.save({})))).toBe("404/1655");
    const aborted = await lab.db.beginTransaction({ write: [collection] });
    await aborted.abort();
    expect(await outcome(aborted.step(() => collection.save({})))).toBe("410/1654");
    expect(await outcome(aborted.commit())).toBe("400/1653");
    expect(await outcome(aborted.abort())).toBe("ok");
  });

  it("can be committed twice, and then not aborted", async () => {
    const collection = await lab.collection();
    const transaction = await lab.db.beginTransaction({ write: [collection] });
    await transaction.commit();
    expect(await outcome(transaction.commit())).toBe("ok");
    expect(await outcome(transaction.abort())).toBe("400/1653");
  });

  it("is listed while it runs, and cannot name a collection that is missing", async () => {
    const collection = await lab.collection();
    const transaction = await lab.db.beginTransaction({ write: [collection] });
    expect(await lab.db.listTransactions()).toContainEqual({ id: transaction.id, state: "running" });
    await transaction.abort();
    expect(await lab.db.listTransactions()).not.toContainEqual({ id: transaction.id, state: "running" });
    expect(await outcome(lab.db.beginTransaction({ write: ["nowhere"] }))).toBe("404/1203");
  });

  it("keeps what a failed query had written before it failed: abort it yourself", async () => {
    const collection = await lab.collection();
    const transaction = await lab.db.beginTransaction({ write: [collection] });
    const query = "FOR k IN ['a', 'a'] INSERT { _key: k } INTO @@c";
    const failed = transaction.step(() => lab.db.query(query, { "@c": collection.name }));
    expect(await outcome(failed)).toBe("409/1210");
    expect(await transaction.step(() => collection.documentExists("a"))).toBe(true);
    await transaction.abort();
    expect(await collection.documentExists("a")).toBe(false);
  });

  it("outlives an index that is made meanwhile", async () => {
    const collection = await lab.collection();
    const transaction = await lab.db.beginTransaction({ write: [collection] });
    await transaction.step(() => collection.save({ _key: "a", n: 1 }));
    await collection.ensureIndex({ type: "persistent", fields: ["n"] });
    await transaction.commit();
    expect(await lab.all("FOR d IN @@c FILTER d.n == 1 RETURN d._key", { "@c": collection.name })).toEqual([
      "a",
    ]);
  });
});

describe("a transaction that nobody uses", () => {
  const hasty = new Lab({ transactionIdleTimeout: 500 });

  it("is aborted, lets go of its locks, and cannot be committed", async () => {
    const collection = await hasty.collection();
    const transaction = await hasty.db.beginTransaction({ write: [collection] });
    await transaction.step(() => collection.save({ _key: "a" }));
    await expect.poll(async () => (await transaction.get()).status, { timeout: 5000 }).toBe("aborted");
    expect(await outcome(transaction.commit())).toBe("400/1653");
    expect(await outcome(collection.save({ _key: "a" }))).toBe("ok");
  });
});
