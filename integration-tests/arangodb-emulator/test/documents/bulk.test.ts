import { describe, expect, it } from "vitest";
import { Lab } from "../lab.ts";

const lab = new Lab();

describe("an array of documents", () => {
  it("is written as far as it can be: what fails is an error in its place", async () => {
    const collection = await lab.collection();
    await collection.save({ _key: "b" });
    const path = `/_api/document/${collection.name}`;
    const answer = await lab.send("POST", path, [{ _key: "a" }, { _key: "b" }, { _key: "not/legal" }, 5]);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject([
      { _key: "a" },
      { error: true, errorNum: 1210 },
      { error: true, errorNum: 1221 },
      { error: true, errorNum: 1227 },
    ]);
    expect(answer.headers.get("x-arango-error-codes")).toBe('{"1210":1,"1221":1,"1227":1}');
    expect(await collection.documentExists("a")).toBe(true);
  });

  it("has no error header where nothing failed", async () => {
    const { name } = await lab.collection();
    const { headers } = await lab.send("POST", `/_api/document/${name}`, [{}]);
    expect(headers.get("x-arango-error-codes")).toBeNull();
  });

  it("sees its own writes: the same key twice is 1210 the second time", async () => {
    const collection = await lab.collection();
    expect(await collection.saveAll([{ _key: "a" }, { _key: "a" }])).toMatchObject([
      { _key: "a" },
      { errorNum: 1210 },
    ]);
  });

  it("is read in order, with 1202 for what is missing and no error header", async () => {
    const collection = await lab.collection();
    await collection.saveAll([
      { _key: "a", n: 1 },
      { _key: "b", n: 2 },
    ]);
    expect(await collection.documents(["b", "x", { _key: "a" }])).toMatchObject([
      { n: 2 },
      { error: true, errorNum: 1202 },
      { n: 1 },
    ]);
    const { headers } = await lab.send("PUT", `/_api/document/${collection.name}?onlyget=true`, ["x"]);
    expect(headers.get("x-arango-error-codes")).toBeNull();
  });

  it("is replaced, updated and removed item by item, each against its revision: plain 1200", async () => {
    const collection = await lab.collection();
    const [a, b] = await collection.saveAll([{ _key: "a" }, { _key: "b" }]);
    const revisions = [a, b].map((saved) => ("_rev" in saved! ? saved._rev : ""));
    const stale = [
      { _key: "a", _rev: revisions[1], n: 1 },
      { _key: "b", _rev: revisions[1], n: 1 },
    ];
    const conflict = { error: true, errorNum: 1200 };
    expect(await collection.replaceAll(stale as object[] as never, { ignoreRevs: false })).toMatchObject([
      conflict,
      { _key: "b" },
    ]);
    expect(await collection.updateAll(stale as object[] as never, { ignoreRevs: false })).toMatchObject([
      conflict,
      conflict,
    ]);
    const answer = await lab.send("DELETE", `/_api/document/${collection.name}?ignoreRevs=false`, stale);
    expect(answer).toMatchObject({ status: 202, body: [conflict, conflict] });
    expect(answer.headers.get("x-arango-error-codes")).toBe('{"1200":2}');
  });

  it("of plain keys is removed without looking at revisions", async () => {
    const collection = await lab.collection();
    await collection.saveAll([{ _key: "a" }, { _key: "b" }]);
    expect(await collection.removeAll(["a", "x", `${collection.name}/b`])).toMatchObject([
      { _key: "a" },
      { error: true, errorNum: 1202 },
      { _key: "b" },
    ]);
    expect((await collection.count()).count).toBe(0);
  });

  it("answers with its errors alone where silence is wanted", async () => {
    const { name } = await lab.collection();
    const { body } = await lab.send("POST", `/_api/document/${name}?silent=true`, [{}, { _key: "/" }]);
    expect(body).toMatchObject([{ errorNum: 1221 }]);
  });
});
