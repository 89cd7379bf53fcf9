import { describe, expect, it } from "vitest";
import { Lab, outcome } from "../lab.ts";

const lab = new Lab({ ttlFrequency: 20 });

describe("an index", () => {
  it("is made once: 201 and new, then 200 and the same", async () => {
    const collection = await lab.collection();
    const path = `/_api/index?collection=${collection.name}`;
    const body = { type: "persistent", fields: ["ns", "k"], name: "by_key" };
    const first = await lab.send("POST", path, body);
    expect(first).toMatchObject({
      status: 201,
      body: { isNewlyCreated: true, name: "by_key", fields: ["ns", "k"] },
    });
    const { id } = first.body as { id: string };
    expect(await lab.send("POST", path, body)).toMatchObject({
      status: 200,
      body: { isNewlyCreated: false, id },
    });
    expect(await collection.index(id)).toMatchObject({ id, type: "persistent" });
    expect(await collection.indexes()).toMatchObject([
      { id: `${collection.name}/0`, type: "primary" },
      { id },
    ]);
    await collection.dropIndex(id);
    expect(await outcome(collection.dropIndex(id))).toBe("404/1212");
  });

  it("cannot share its name with another one", async () => {
    const collection = await lab.collection();
    await collection.ensureIndex({ type: "persistent", fields: ["a"], name: "n" });
    expect(await outcome(collection.ensureIndex({ type: "persistent", fields: ["b"], name: "n" }))).toBe(
      "409/1207",
    );
  });

  it("that is primary stays", async () => {
    const collection = await lab.collection();
    expect(await outcome(collection.dropIndex("0"))).toBe("403/11");
  });

  it("of an edge collection lists _from and _to", async () => {
    const edges = await lab.edges();
    expect(await edges.indexes()).toMatchObject([
      { type: "primary" },
      { type: "edge", fields: ["_from", "_to"] },
    ]);
  });

  it("of a kind that the emulator lacks is refused by name", async () => {
    const collection = await lab.collection();
    const path = `/_api/index?collection=${collection.name}`;
    const answer = await lab.send("POST", path, { type: "geo", fields: ["a"] });
    expect(answer).toMatchObject({ status: 400, body: { errorNum: 10, errorMessage: /geo.*not covered/ } });
  });
});

describe("a unique index", () => {
  it("refuses a second document with its values, null among them, with 409/1210", async () => {
    const collection = await lab.collection();
    await collection.ensureIndex({ type: "persistent", fields: ["a", "b"], unique: true });
    await collection.save({ _key: "x", a: 1, b: 1 });
    expect(await outcome(collection.save({ a: 1, b: 1 }))).toBe("409/1210");
    expect(await outcome(collection.save({ a: 1, b: 2 }))).toBe("ok");
    expect(await outcome(collection.save({}))).toBe("ok");
    expect(await outcome(collection.save({}))).toBe("409/1210");
    expect(await outcome(collection.update("x", { b: 2 }))).toBe("409/1210");
    expect(await outcome(collection.replace("x", { a: 1, b: 1, c: 1 }))).toBe("ok");
  });

  it("leaves out nulls where it is sparse", async () => {
    const collection = await lab.collection();
    await collection.ensureIndex({ type: "persistent", fields: ["a"], unique: true, sparse: true });
    await collection.save({});
    expect(await outcome(collection.save({ a: null }))).toBe("ok");
  });

  it("is not made over documents that break it", async () => {
    const collection = await lab.collection();
    await collection.saveAll([{ a: 1 }, { a: 1 }]);
    const index = collection.ensureIndex({ type: "persistent", fields: ["a"], unique: true });
    expect(await outcome(index)).toBe("409/1210");
  });
});

describe("a TTL index", () => {
  it("is one for a collection, over one field", async () => {
    const collection = await lab.collection();
    await collection.ensureIndex({ type: "ttl", fields: ["x"], expireAfter: 0 });
    const second = collection.ensureIndex({ type: "ttl", fields: ["y"], expireAfter: 0 });
    expect(await outcome(second)).toBe("400/10");
    const path = `/_api/index?collection=${collection.name}`;
    expect((await lab.send("POST", path, { type: "ttl", fields: ["a", "b"], expireAfter: 0 })).status).toBe(
      400,
    );
  });

  it("removes what is past its seconds or its ISO date, now and then, and nothing else", async () => {
    const collection = await lab.collection();
    const past = Date.now() / 1000 - 10;
    await collection.saveAll([
      { _key: "seconds", x: past },
      { _key: "iso", x: new Date(past * 1000).toISOString() },
      { _key: "future", x: past + 1000 },
      { _key: "milliseconds", x: Date.now() },
      { _key: "negative", x: -1 },
      { _key: "missing" },
      { _key: "text", x: "soon" },
    ]);
    await collection.ensureIndex({ type: "ttl", fields: ["x"], expireAfter: 0 });
    await expect.poll(async () => (await collection.count()).count, { timeout: 5000 }).toBe(5);
    expect(await collection.documentExists("seconds")).toBe(false);
    expect(await collection.documentExists("iso")).toBe(false);
  });

  it("adds expireAfter to what the document says", async () => {
    const collection = await lab.collection();
    await collection.ensureIndex({ type: "ttl", fields: ["x"], expireAfter: 1000 });
    await collection.saveAll([
      { _key: "old", x: 0 },
      { _key: "new", x: Date.now() / 1000 },
    ]);
    await expect.poll(() => collection.documentExists("old"), { timeout: 5000 }).toBe(false);
    expect(await collection.documentExists("new")).toBe(true);
  });
});

describe("a lagging TTL thread", () => {
  const slow = new Lab();

  it("leaves expired documents readable: every read has to look", async () => {
    const collection = await slow.collection();
    await collection.ensureIndex({ type: "ttl", fields: ["x"], expireAfter: 0 });
    await collection.save({ _key: "a", x: 1 });
    expect(await collection.documentExists("a")).toBe(true);
    expect(
      await slow.all("FOR d IN @@c FILTER d.x == null OR d.x > @now RETURN 1", {
        "@c": collection.name,
        now: 2,
      }),
    ).toEqual([]);
  });
});
