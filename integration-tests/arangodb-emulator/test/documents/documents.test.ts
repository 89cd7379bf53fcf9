import { describe, expect, it } from "vitest";
import { Lab, outcome } from "../lab.ts";

const lab = new Lab();

describe("documents", () => {
  it("get _key, _id and _rev, and are found again", async () => {
    const collection = await lab.collection();
    const saved = await collection.save({ _key: "a", value: { n: [1, null, "x"] } });
    expect(saved).toMatchObject({ _key: "a", _id: `${collection.name}/a` });
    expect(await collection.document("a")).toEqual({
      _key: "a",
      _id: `${collection.name}/a`,
      _rev: saved._rev,
      value: { n: [1, null, "x"] },
    });
  });

  it("get a key where they bring none", async () => {
    const collection = await lab.collection();
    const { _key } = await collection.save({ a: 1 });
    expect(_key).toMatch(/^\d+$/);
  });

  it("take every legal character in a key, and keep letter case apart", async () => {
    const collection = await lab.collection();
    const legal = "aZ09_-.@()+,=;$!*'%:";
    for (const key of [legal, "A", "a", "x".repeat(254)]) {
      expect(await outcome(collection.save({ _key: key }))).toBe("ok");
      expect((await collection.document(key))["_key"]).toBe(key);
    }
  });

  it.each(["", "a/b", "a b", "ü", "x".repeat(255), 5, null, {}])(
    "refuse the key %j with 1221",
    async (key) => {
      const collection = await lab.collection();
      const answer = await lab.send("POST", `/_api/document/${collection.name}`, { _key: key });
      expect(answer).toMatchObject({ status: 400, body: { errorNum: 1221, code: 400, error: true } });
    },
  );

  it("refuse what is no key with 1221: too long, empty, of other characters or types", async () => {
    const collection = await lab.collection();
    for (const key of ["", "a/b", "a b", "ä", "a#", "a\u0000", "x".repeat(255), 5, null, true, ["a"], {}]) {
      const { status, body } = await lab.send("POST", `/_api/document/${collection.name}`, { _key: key });
      expect([key, status, body]).toMatchObject([key, 400, { errorNum: 1221 }]);
    }
    expect(await outcome(collection.save({ _key: "x".repeat(254) }))).toBe("ok");
  });

  it("keep every attribute name, __proto__ and constructor included", async () => {
    const collection = await lab.collection();
    const text = '{"_key":"p","__proto__":{"a":1},"constructor":2,"":3,"toString":null}';
    await lab.send("POST", `/_api/document/${collection.name}`, text);
    expect(
      await lab.all("FOR d IN @@c RETURN [d.constructor, d.valueOf, d.toString, d['__proto__'].a]", {
        "@c": collection.name,
      }),
    ).toEqual([[2, null, null, 1]]);
    const response = await fetch(`${lab.url}/_api/document/${collection.name}/p`);
    expect(await response.text()).toContain('"__proto__":{"a":1}');
  });

  it("refuse what is nested too deep with 600, and what is no JSON", async () => {
    const collection = await lab.collection();
    const deep = (levels: number) => `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    const path = `/_api/document/${collection.name}`;
    expect((await lab.send("POST", path, deep(190))).status).toBe(202);
    expect(await lab.send("POST", path, deep(201))).toMatchObject({ status: 400, body: { errorNum: 600 } });
    expect(await lab.send("POST", path, "{")).toMatchObject({ status: 400, body: { errorNum: 600 } });
  });

  it("ignore what comes in as _id and _rev", async () => {
    const collection = await lab.collection();
    const saved = await collection.save({ _key: "a", _id: "other/b", _rev: "_abc" } as object);
    const document = await collection.document("a");
    expect(document["_id"]).toBe(`${collection.name}/a`);
    expect(document["_rev"]).toBe(saved._rev);
  });

  it("exist once: a second insert is 409/1210", async () => {
    const collection = await lab.collection();
    await collection.save({ _key: "a" });
    expect(await outcome(collection.save({ _key: "a" }))).toBe("409/1210");
  });

  it("are missing with 404/1202, in a missing collection with 404/1203", async () => {
    const collection = await lab.collection();
    expect(await outcome(collection.document("a"))).toBe("404/1202");
    expect(await collection.document("a", { graceful: true })).toBeNull();
    expect(await outcome(lab.db.collection("nowhere").document("a", { graceful: true }))).toBe("404/1203");
    expect(await collection.documentExists("a")).toBe(false);
    expect(await outcome(collection.remove("a"))).toBe("404/1202");
    expect(await outcome(collection.replace("a", {}))).toBe("404/1202");
    expect(await outcome(collection.update("a", {}))).toBe("404/1202");
  });

  it("answer 202, and 201 or 200 where the write was synced", async () => {
    const { name } = await lab.collection();
    const path = `/_api/document/${name}`;
    expect((await lab.send("POST", path, { _key: "a" })).status).toBe(202);
    expect((await lab.send("POST", `${path}?waitForSync=true`, { _key: "b" })).status).toBe(201);
    expect((await lab.send("PUT", `${path}/a`, {})).status).toBe(202);
    expect((await lab.send("PATCH", `${path}/a?waitForSync=true`, {})).status).toBe(201);
    expect((await lab.send("DELETE", `${path}/a`)).status).toBe(202);
    expect((await lab.send("DELETE", `${path}/b?waitForSync=true`)).status).toBe(200);
  });

  it("answer with Etag and Location", async () => {
    const { name } = await lab.collection();
    const { headers, body } = await lab.send("POST", `/_db/_system/_api/document/${name}`, { _key: "a" });
    const { _rev } = body as { _rev: string };
    expect(headers.get("etag")).toBe(`"${_rev}"`);
    expect(headers.get("location")).toBe(`/_db/_system/_api/document/${name}/a`);
    expect(headers.get("content-type")).toContain("application/json");
    expect((await lab.send("GET", `/_api/document/${name}/a`)).headers.get("etag")).toBe(`"${_rev}"`);
    const unchanged = await lab.send("GET", `/_api/document/${name}/a`, undefined, {
      "if-none-match": `"${_rev}"`,
    });
    expect(unchanged.status).toBe(304);
    const head = await lab.send("HEAD", `/_api/document/${name}/a`);
    expect([head.status, head.body]).toEqual([200, undefined]);
  });
});

describe("what a write returns", () => {
  it("is the old and the new document where it is asked for", async () => {
    const collection = await lab.collection();
    const first = await collection.save({ _key: "a", n: 1 }, { returnNew: true });
    expect(first.new).toMatchObject({ n: 1, _rev: first._rev });
    const second = await collection.replace("a", { n: 2 }, { returnNew: true, returnOld: true });
    expect(second).toMatchObject({ _oldRev: first._rev, old: { n: 1 }, new: { n: 2 } });
    const removed = await collection.remove("a", { returnOld: true });
    expect(removed).toMatchObject({ _rev: second._rev, old: { n: 2 } });
  });

  it("is an empty object where silence is wanted", async () => {
    const { name } = await lab.collection();
    expect((await lab.send("POST", `/_api/document/${name}?silent=true`, { _key: "a" })).body).toEqual({});
  });
});

describe("overwriteMode", () => {
  it("replace takes the place of the old document", async () => {
    const collection = await lab.collection();
    const { _rev } = await collection.save({ _key: "a", n: 1, m: 1 });
    const result = await collection.save({ _key: "a", n: 2 }, { overwriteMode: "replace", returnOld: true });
    expect(result).toMatchObject({ _oldRev: _rev, old: { n: 1 } });
    expect(await collection.document("a")).not.toHaveProperty("m");
  });

  it("update merges", async () => {
    const collection = await lab.collection();
    await collection.save({ _key: "a", n: 1, m: { x: 1 } });
    await collection.save(
      { _key: "a", m: { y: 2 } },
      { overwriteMode: "update", keepNull: true, mergeObjects: true },
    );
    expect(await collection.document("a")).toMatchObject({ n: 1, m: { x: 1, y: 2 } });
  });

  it("ignore leaves the old document, and answers with its revision", async () => {
    const collection = await lab.collection();
    const { _rev } = await collection.save({ _key: "a", n: 1 });
    const result = await collection.save({ _key: "a", n: 2 }, { overwriteMode: "ignore" });
    expect(result._rev).toBe(_rev);
    expect(result).not.toHaveProperty("_oldRev");
    expect(await collection.document("a")).toMatchObject({ n: 1 });
  });

  it("update drops nulls unless keepNull is said: the server's source, not its documentation", async () => {
    const { name } = await lab.collection();
    const path = `/_api/document/${name}?overwriteMode=update`;
    await lab.send("POST", path, { _key: "a", n: 1, m: 1 });
    await lab.send("POST", path, { _key: "a", n: null });
    expect((await lab.send("GET", `/_api/document/${name}/a`)).body).not.toHaveProperty("n");
    await lab.send("POST", `${path}&keepNull=true`, { _key: "a", m: null });
    expect((await lab.send("GET", `/_api/document/${name}/a`)).body).toHaveProperty("m", null);
  });
});

describe("PATCH", () => {
  it("merges objects, keeps nulls, and does either otherwise when told", async () => {
    const collection = await lab.collection();
    await collection.save({ _key: "a", o: { x: 1 }, n: 1 });
    await collection.update("a", { o: { y: 2 }, n: null });
    expect(await collection.document("a")).toMatchObject({ o: { x: 1, y: 2 }, n: null });
    await collection.update("a", { o: { z: 3 }, n: null }, { mergeObjects: false, keepNull: false });
    const document = await collection.document("a");
    expect(document["o"]).toEqual({ z: 3 });
    expect(document).not.toHaveProperty("n");
  });

  it("that says nothing changes nothing: the revision stays", async () => {
    const collection = await lab.collection();
    const { _rev } = await collection.save({ _key: "a", n: 1 });
    expect((await collection.update("a", {}))._rev).toBe(_rev);
    expect((await collection.update("a", { n: 1 }))._rev).not.toBe(_rev);
  });

  it("takes the text undefined for false, as arangojs sends it", async () => {
    const collection = await lab.collection();
    await collection.save({ _key: "a", n: 1 });
    // Unlike an option that is not there, this one reaches the wire.
    await collection.update("a", { n: null }, { keepNull: undefined } as object);
    expect(await collection.document("a")).not.toHaveProperty("n");
  });
});
