import { describe, expect, it } from "vitest";
import { Lab, outcome } from "../lab.ts";

const lab = new Lab();

async function written() {
  const collection = await lab.collection();
  const { _rev: old } = await collection.save({ _key: "a", n: 1 });
  const { _rev } = await collection.replace("a", { n: 2 });
  return { collection, old, current: _rev };
}

describe("If-Match", () => {
  it("lets a write pass with the stored revision, quoted or not", async () => {
    const { collection, current } = await written();
    const { _rev } = await collection.replace("a", { n: 3 }, { ifMatch: current });
    expect(await outcome(collection.remove("a", { ifMatch: `"${_rev}"` }))).toBe("ok");
  });

  it("refuses another one with 412/1200, and says which revision is stored", async () => {
    const { collection, old, current } = await written();
    expect(await outcome(collection.replace("a", {}, { ifMatch: old }))).toBe("412/1200");
    expect(await outcome(collection.update("a", {}, { ifMatch: old }))).toBe("412/1200");
    expect(await outcome(collection.remove("a", { ifMatch: old }))).toBe("412/1200");
    expect(await outcome(collection.document("a", { ifMatch: old }))).toBe("412/1200");
    const { body } = await lab.send("PUT", `/_api/document/${collection.name}/a`, {}, { "if-match": old });
    expect(body).toMatchObject({ _key: "a", _id: `${collection.name}/a`, _rev: current, code: 412 });
  });

  it("fails with a revision that no server has written, and on a missing document with 1202", async () => {
    const { collection } = await written();
    expect(await outcome(collection.replace("a", {}, { ifMatch: "not a revision" }))).toBe("412/1200");
    expect(await outcome(collection.replace("b", {}, { ifMatch: "_abc" }))).toBe("404/1202");
  });

  it("fails documentExists as HttpError, since HEAD has no body", async () => {
    const { collection, old } = await written();
    expect(await outcome(collection.documentExists("a", { ifMatch: old }))).toBe("412/-");
  });
});

describe("ignoreRevs=false", () => {
  it("checks the _rev of the body", async () => {
    const { collection, old, current } = await written();
    const write = (_rev: string) => collection.replace("a", { _rev, n: 3 } as object, { ignoreRevs: false });
    expect(await outcome(write(old))).toBe("412/1200");
    expect(await outcome(write(current))).toBe("ok");
  });

  it("checks nothing where the _rev is absent, empty or none", async () => {
    const { collection } = await written();
    for (const body of [{}, { _rev: "" }, { _rev: "not a revision" }, { _rev: 5 }]) {
      expect(await outcome(collection.replace("a", body as object, { ignoreRevs: false }))).toBe("ok");
    }
  });

  it("is what undefined means", async () => {
    const { collection, old } = await written();
    const options = { ignoreRevs: undefined } as object;
    expect(await outcome(collection.replace("a", { _rev: old } as object, options))).toBe("412/1200");
  });
});

describe("revisions", () => {
  it("decode to the time of the write, and sort neither as text nor by collation", async () => {
    const before = Date.now();
    const { current } = await written();
    const { date } = (await lab.value("DECODE_REV(@rev)", { rev: current })) as { date: string };
    expect(Date.parse(date)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(date)).toBeLessThanOrEqual(Date.now());
  });

  it("decode as the documentation's example does", async () => {
    expect(await lab.value('DECODE_REV("_YU0HOEG---")')).toMatchObject({
      date: "2019-03-11T16:15:05.314Z",
      count: 0,
    });
  });
});
