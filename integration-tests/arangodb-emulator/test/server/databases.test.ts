import { describe, expect, it } from "vitest";
import { Lab, outcome } from "../lab.ts";

const lab = new Lab();

describe("databases", () => {
  it("are made in _system, once, and dropped there", async () => {
    const db = await lab.db.createDatabase("one");
    expect(await lab.db.listDatabases()).toEqual(["_system", "one"]);
    expect(await outcome(lab.db.createDatabase("one"))).toBe("409/1207");
    expect(await db.get()).toMatchObject({ name: "one", isSystem: false });
    expect(await outcome(db.createDatabase("two"))).toBe("403/1230");
    expect(await outcome(db.listDatabases())).toBe("403/1230");
    await lab.db.dropDatabase("one");
    expect(await outcome(db.collections())).toBe("404/1228");
    expect(await outcome(lab.db.dropDatabase("one"))).toBe("404/1228");
    expect(await outcome(lab.db.createDatabase("1 x"))).toBe("400/1229");
  });

  it("have collections of their own", async () => {
    const db = await lab.db.createDatabase("apart");
    await db.createCollection("same");
    await lab.db.createCollection("same");
    await db.collection("same").save({ _key: "a" });
    expect(await lab.db.collection("same").documentExists("a")).toBe(false);
  });
});

describe("collections", () => {
  it("are made once, described, counted, truncated and dropped", async () => {
    const collection = await lab.db.createCollection("made");
    expect(await outcome(lab.db.createCollection("made"))).toBe("409/1207");
    expect(await outcome(lab.db.createCollection("1 made"))).toBe("400/1208");
    const answer = await lab.send("GET", "/_api/collection/made");
    expect(answer.body).toMatchObject({
      name: "made",
      type: 2,
      status: 3,
      isSystem: false,
      error: false,
      code: 200,
    });
    expect((await lab.db.createEdgeCollection("edges")).name).toBe("edges");
    expect((await lab.send("GET", "/_api/collection/edges")).body).toMatchObject({ type: 3 });
    await collection.saveAll([{}, {}]);
    expect(await collection.count()).toMatchObject({ count: 2 });
    await collection.truncate();
    expect(await collection.count()).toMatchObject({ count: 0 });
    expect((await lab.db.listCollections()).map(({ name }) => name)).toContain("made");
    await collection.drop();
    expect(await collection.exists()).toBe(false);
    expect(await outcome(collection.drop())).toBe("404/1203");
  });

  it("have names that are no server's own, or 1208", async () => {
    for (const name of ["", "_own", "1a", "a b", "a/b", "x".repeat(257), 5, null]) {
      const { status, body } = await lab.send("POST", "/_api/collection", { name });
      expect([name, status, body]).toMatchObject([name, 400, { errorNum: 1208 }]);
    }
    expect(await outcome(lab.db.createCollection("x".repeat(256)))).toBe("ok");
    expect(await outcome(lab.db.createCollection("_own", { isSystem: true }))).toBe("ok");
  });

  it("made by many at once are made by one", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => outcome(lab.db.createCollection("raced"))),
    );
    expect(outcomes.filter((each) => each === "ok")).toHaveLength(1);
    expect(outcomes.filter((each) => each === "409/1207")).toHaveLength(7);
  });

  it("take properties, and wait for the disk where those say so", async () => {
    const collection = await lab.db.createCollection("synced", { waitForSync: true });
    expect((await lab.send("POST", "/_api/document/synced", {})).status).toBe(201);
    await collection.properties({ waitForSync: false });
    expect((await lab.send("POST", "/_api/document/synced", {})).status).toBe(202);
  });
});

describe("the server", () => {
  it("tells its version and role, and that it is an emulator to whoever asks for details", async () => {
    expect(await lab.db.version()).toEqual({ server: "arango", version: "3.12.9", license: "community" });
    const { body } = await lab.send("GET", "/_api/version?details=true");
    expect(body).toMatchObject({ details: { emulator: "@kv/arangodb-emulator" } });
    expect((await lab.send("GET", "/_admin/server/role")).body).toMatchObject({ role: "SINGLE" });
  });

  it("answers 404 to a path that it does not have, as an ArangoError", async () => {
    expect(await outcome(lab.db.listAnalyzers())).toBe("404/404");
    expect(await lab.send("GET", "/nothing")).toMatchObject({
      status: 404,
      body: { error: true, errorNum: 404 },
    });
  });

  it("parses a query that it does not run", async () => {
    expect(await lab.db.parse("FOR d IN c RETURN @x")).toMatchObject({
      parsed: true,
      bindVars: ["x"],
      collections: ["c"],
    });
  });
});
