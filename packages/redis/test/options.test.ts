import { KvError } from "@kv/core";
import { Cluster, Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { type RedisOptions, redis } from "../src/index.ts";
import { settingsOf } from "../src/options.ts";

function refusal(options: unknown): KvError {
  try {
    redis(options as RedisOptions);
  } catch (error) {
    if (error instanceof KvError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("options", () => {
  test("unknown ones are refused with those there are", () => {
    const error = refusal({ prefx: "a" });
    expect(error.code).toBe("KV_INVALID_OPTION");
    expect(error.message).toContain("prefix");
  });

  test.each([
    [{ port: 70_000 }],
    [{ host: "" }],
    [{ db: -1 }],
    [{ url: "http://localhost" }],
    [{ url: "redis://localhost/first" }],
    [{ url: "redis://localhost?timeout=5" }],
    [{ url: "redis://localhost", host: "other" }],
    [{ prefix: "a{b}" }],
    [{ prefix: "\ud800" }],
    [{ partitions: 0 }],
    [{ ordered: "yes" }],
    [{ sentinels: ["a:1"] }],
    [{ sentinels: [], name: "m" }],
    [{ cluster: ["a:1"], db: 1 }],
    [{ cluster: ["a:1"], sentinels: ["b:1"] }],
    [{ client: {} }],
    [{ cluster: [null] }],
    [{ sentinels: [null], name: "m" }],
    [{ cluster: [{ host: "a", prot: 7000 }] }],
    [{ url: "rediss://localhost", tls: false }],
    [{ busyTimeout: -1 }],
    [{ connectTimeout: 0 }],
    ["redis://localhost"],
    [null],
  ])("%j is refused", (options) => {
    expect(refusal(options).code).toBe("KV_INVALID_OPTION");
  });

  test.each([
    ["makes texts of numbers", new Redis({ lazyConnect: true, stringNumbers: true })],
    [
      "makes texts of a Cluster's numbers",
      new Cluster([{}], { lazyConnect: true, redisOptions: { stringNumbers: true } }),
    ],
    ["reads from replicas", new Cluster([{}], { lazyConnect: true, scaleReads: "slave" })],
  ])("a client that %s is refused", (_, client) => {
    expect(refusal({ client }).code).toBe("KV_INVALID_OPTION");
  });

  test("no refusal quotes a url, which may hold a password", () => {
    for (const url of ["redis://:secret@host:1/x", "rediss://u:%secret@host", "amqp://u:secret@host"])
      expect(refusal({ url }).message).not.toContain("secret");
  });

  test("a url names host, port, account and database, and options go before it", () => {
    expect(settingsOf({ url: "rediss://ada:p%40ss@[::1]:7000/3" }).source).toMatchObject({
      address: { kind: "server", host: "::1", port: 7000 },
      username: "ada",
      password: "p@ss",
      db: 3,
      tls: {},
    });
    expect(settingsOf({ url: "redis://:old@host", password: "new", db: 2, tls: false }).source).toMatchObject(
      {
        address: { kind: "server", host: "host", port: 6379 },
        password: "new",
        db: 2,
        tls: undefined,
      },
    );
    expect(settingsOf({ url: "unix:///run/redis.sock?db=1" }).source).toMatchObject({
      address: { kind: "socket", path: "/run/redis.sock" },
      db: 1,
    });
  });

  test("an option that is undefined is an option not given", () => {
    expect(settingsOf({ url: undefined, port: 7000, prefix: undefined })).toMatchObject({
      prefix: "kv:",
      partitions: 1,
      ordered: true,
      source: { address: { kind: "server", host: "127.0.0.1", port: 7000 } },
    });
  });
});
