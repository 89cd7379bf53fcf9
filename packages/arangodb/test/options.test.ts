import { KvError } from "@kv/core";
import { Database } from "arangojs";
import { describe, expect, test } from "vitest";
import { type ArangodbOptions, arangodb } from "../src/index.ts";
import { settingsOf } from "../src/options.ts";

function refusalOf(options: object): KvError {
  try {
    arangodb(options as ArangodbOptions);
  } catch (error) {
    if (KvError.is(error, "KV_INVALID_OPTION")) return error;
  }
  throw new Error("it was not refused");
}

function accountOf(options: ArangodbOptions) {
  const { source } = settingsOf(options);
  if (!("account" in source)) throw new Error("a client was given");
  return source.account;
}

describe("options", () => {
  test("a URL names server, user, password and database", () => {
    const url = "arangodb://ann:p%40ss@db.example:1234/app";
    expect(accountOf({ url })).toMatchObject({
      urls: ["http://db.example:1234"],
      username: "ann",
      password: "p@ss",
      database: "app",
    });
    expect(accountOf({ url, username: "bob", database: "other" })).toMatchObject({
      username: "bob",
      database: "other",
    });
  });

  test.each([
    [undefined, "http://127.0.0.1:8529"],
    ["arangodb://h", "http://h:8529"],
    ["arangodbs://h", "https://h:8529"],
    ["http://h", "http://h:80"],
    ["https://h", "https://h:443"],
    ["http://h:80/_db/app", "http://h:80"],
    ["arangodb://[::1]:99", "http://[::1]:99"],
  ])("%s is %s", (url, address) => {
    expect(accountOf({ url }).urls).toEqual([address]);
  });

  test("without anything it is root without a password, in _system", () => {
    expect(accountOf({})).toMatchObject({
      username: "root",
      password: "",
      database: "_system",
      poolSize: 16,
    });
  });

  test("several coordinators share one account", () => {
    expect(accountOf({ urls: ["arangodb://a:b@x/d", "arangodb://a:b@y/d"] })).toMatchObject({
      urls: ["http://x:8529", "http://y:8529"],
      username: "a",
      database: "d",
    });
    expect(refusalOf({ urls: ["arangodb://a:b@x", "arangodb://c:geheim@y"] }).message).toMatch(
      /the same user/,
    );
  });

  test.each([
    [{ uri: "http://h" }, /unknown option "uri"/],
    [{ url: "redis://h" }, /must be http/],
    [{ url: "http://a:geheim@h/x/y" }, /the name of a database/],
    [{ url: "http://h?x=1" }, /must not have a query/],
    [{ url: "http://h", urls: ["http://g"] }, /urls replaces url/],
    [{ urls: [] }, /a non-empty list of URLs/],
    [{ token: "geheim", password: "geheim" }, /token replaces username and password/],
    [{ username: 1 }, /username must be a string/],
    [{ database: "" }, /database must be/],
    [{ collection: "_kv" }, /collection must be/],
    [{ collection: "a/b" }, /collection must be/],
    [{ durability: "most" }, /durability must be "normal" or "full"/],
    [{ watchInterval: 0 }, /watchInterval must be/],
    [{ busyTimeout: -1 }, /busyTimeout must be/],
    [{ poolSize: 1.5 }, /poolSize must be/],
    [{ requestTimeout: Number.NaN }, /requestTimeout must be/],
    [{ client: {} }, /client must be a Database/],
    [{ client: new Database(), database: "x" }, /unknown option "database"/],
  ])("%j is refused", (options, message) => {
    const { message: said } = refusalOf(options);
    expect(said).toMatch(message);
    expect(said).not.toContain("geheim");
  });

  test("an option that is undefined is one that was not given", () => {
    const nothing = { url: undefined, client: undefined, poolSize: undefined, collection: undefined };
    expect(settingsOf(nothing)).toEqual(settingsOf({}));
    const client = new Database();
    expect(settingsOf({ client, url: undefined }).source).toEqual({ client });
  });
});
