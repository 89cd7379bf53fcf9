import { Redis } from "ioredis";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { needsServer, startServer, type TestServer } from "../support/server.ts";
import { eventually, keysOf, refusalOf, serverFor, storeOn } from "../support/stores.ts";

const REFUSED = { retryable: false, message: expect.stringContaining("nothing was read or written") };

async function isEmpty({ bare }: TestServer): Promise<boolean> {
  await bare.select(0);
  return (await bare.dbsize()) === 0;
}

describe("the number of the database", () => {
  beforeEach(needsServer);

  test("one that the server does not have is an error, whatever is asked", async () => {
    const server = await serverFor();
    const store = storeOn({ url: `${server.url}/99` });
    for (const operation of [
      () => store.get("k"),
      () => store.set("k", 1),
      () => store.clear(),
      () => store.count(),
      () => store.subscribe(() => undefined),
      () => keysOf(store),
    ]) {
      expect(await refusalOf(operation())).toMatchObject({ ...REFUSED, code: "KV_INVALID_OPTION" });
    }
    expect(await isEmpty(server)).toBe(true);
  });

  test.each([
    ["may not SELECT", ["-select"]],
    ["may SELECT database 0 only", ["-select", "+select|0"]],
  ])("a user who %s gets an error that says so", async (_, rules) => {
    const server = await serverFor();
    await server.bare.call("ACL", "SETUSER", "one", "on", ">pw", "~*", "&*", "+@all", ...rules);
    const account = { port: server.port, username: "one", password: "pw" };
    const error = await refusalOf(storeOn({ ...account, db: 3 }).set("k", 1));
    expect(error).toMatchObject({ ...REFUSED, code: "KV_UNAVAILABLE" });
    expect(error.message).toContain("SELECT");
    expect(await isEmpty(server)).toBe(true);
    const first = storeOn(account);
    await first.set("k", 1);
    expect(await first.get("k")).toBe(1);
  });

  test("it is asked for once more after every reconnect", async () => {
    const server = await serverFor("--databases", "16");
    const store = storeOn({ port: server.port, db: 12 });
    const waiting = storeOn({ port: server.port, db: 12, waitForReconnect: true });
    await store.set("k", 1);
    await waiting.set("k", 1);
    await store.subscribe(() => undefined);
    await server.stop();
    const smaller = await startServer(["--databases", "4"], server.port);
    onTestFinished(() => smaller.stop());
    await eventually(async () => {
      expect(await refusalOf(store.set("k", 2))).toMatchObject({ ...REFUSED, code: "KV_INVALID_OPTION" });
    });
    expect(await refusalOf(store.clear())).toMatchObject(REFUSED);
    expect(await refusalOf(waiting.set("k", 2))).toMatchObject(REFUSED);
    expect(await isEmpty(smaller)).toBe(true);
    await smaller.stop();
    const larger = await startServer([], server.port);
    onTestFinished(() => larger.stop());
    await eventually(() => store.set("k", 3));
    await larger.bare.select(12);
    expect(await larger.bare.dbsize()).toBeGreaterThan(0);
  });

  test("a client that was not let into its database is no way into database 0", async () => {
    const server = await serverFor();
    const client = new Redis({ port: server.port, db: 99 });
    client.on("error", () => undefined);
    onTestFinished(() => client.disconnect());
    const store = storeOn({ client });
    expect(await refusalOf(store.set("k", 1))).toMatchObject({ ...REFUSED, code: "KV_INVALID_OPTION" });
    expect(await isEmpty(server)).toBe(true);
  });

  test("a client that its owner switches is refused until it is switched back", async () => {
    const server = await serverFor();
    const client = new Redis(server.port);
    onTestFinished(() => client.disconnect());
    await client.select(2);
    const store = storeOn({ client });
    await store.set("k", 1);
    void client.select(5);
    expect(await refusalOf(store.set("k", 2))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    expect(await refusalOf(store.get("k"))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    await server.bare.select(5);
    expect(await server.bare.dbsize()).toBe(0);
    await client.select(2);
    expect(await store.get("k")).toBe(1);
    // It stays there after a reconnect.
    await server.bare.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await eventually(() => store.set("k", 3));
    await server.bare.select(2);
    expect(await server.bare.dbsize()).toBeGreaterThan(1);
  });
});
