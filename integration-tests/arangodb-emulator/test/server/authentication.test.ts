import { describe, expect, it } from "vitest";
import { Lab, outcome } from "../lab.ts";

const lab = new Lab({ password: "secret" });

describe("a server with a password", () => {
  it("answers 401/11 without one, and with a wrong one", async () => {
    expect(await outcome(lab.client().version())).toBe("401/11");
    expect(await outcome(lab.client({ password: "wrong" }).version())).toBe("401/11");
    expect(await outcome(lab.client({ password: "secret" }).version())).toBe("ok");
    expect(await lab.send("GET", "/_api/version")).toMatchObject({
      status: 401,
      body: { errorNum: 11, code: 401 },
    });
  });

  it("gives a token for the password, and refuses a wrong one with 401/401", async () => {
    const client = lab.client();
    expect(await outcome(client.login("root", "wrong"))).toBe("401/401");
    await client.login("root", "secret");
    expect(await outcome(client.version())).toBe("ok");
  });

  it("believes no token that it has not signed", async () => {
    const token = await lab.client().login("root", "secret");
    const forged = `${token.slice(0, -4)}AAAA`;
    expect(
      (await lab.send("GET", "/_api/version", undefined, { authorization: `Bearer ${token}` })).status,
    ).toBe(200);
    expect(
      (await lab.send("GET", "/_api/version", undefined, { authorization: `Bearer ${forged}` })).status,
    ).toBe(401);
    expect((await lab.send("GET", "/_api/version", undefined, { authorization: "Bearer x" })).status).toBe(
      401,
    );
  });
});

describe("a user", () => {
  const root = () => lab.client({ password: "secret" });

  it("who may only read a database writes nothing there", async () => {
    const db = await root().createDatabase("readable");
    const collection = await db.createCollection("c");
    await collection.save({ _key: "a" });
    await root().createUser("reader", { passwd: "pw" });
    await root().setUserAccessLevel("reader", { database: "readable" }, "ro");
    const mine = lab.client({ username: "reader", password: "pw" }).database("readable");
    expect(await mine.collection("c").documentExists("a")).toBe(true);
    expect(await outcome(mine.query("FOR d IN c RETURN d"))).toBe("ok");
    expect(await outcome(mine.collection("c").save({}))).toBe("403/1004");
    expect(await outcome(mine.query("INSERT {} INTO c"))).toBe("403/1004");
    expect(await outcome(mine.beginTransaction({ write: ["c"] }))).toBe("403/1004");
    expect(await outcome(mine.createCollection("d"))).toBe("403/11");
    expect(await outcome(mine.collection("c").ensureIndex({ type: "persistent", fields: ["a"] }))).toBe(
      "403/11",
    );
  });

  it("without a grant is turned away with 401/11", async () => {
    await root().createUser("nobody", { passwd: "pw" });
    const nobody = lab.client({ username: "nobody", password: "pw" });
    expect(await outcome(nobody.collections())).toBe("401/11");
  });

  it("comes with a database where that is asked for", async () => {
    await root().createDatabase("owned", { users: [{ username: "owner", passwd: "pw" }] });
    const owned = lab.client({ username: "owner", password: "pw" }).database("owned");
    expect(await outcome(owned.createCollection("c"))).toBe("ok");
    expect(await owned.listUserDatabases()).toEqual(["owned"]);
  });
});
