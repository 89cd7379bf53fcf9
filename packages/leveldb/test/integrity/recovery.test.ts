import { Refusal } from "@kv/core";
import { expect, test } from "vitest";
import type { Connection } from "../../src/connection/connection.ts";
import { Custody } from "../../src/connection/custody.ts";
import { Recovery } from "../../src/write/recovery.ts";

test("after a failed write the database is opened anew before the next one, as soon as that can be", async () => {
  const log: string[] = [];
  let full = true;
  const connection: Pick<Connection, "renew" | "custody"> = {
    custody: new Custody({ fault: () => undefined }),
    async renew(before) {
      if (full) throw new Refusal("KV_CAPACITY", "full");
      await before();
      log.push("renewed");
    },
  };
  const recovery = new Recovery(
    connection,
    async () => void log.push("readers ended"),
    () => log.push("watchers told"),
  );
  expect(recovery.ready()).toBeUndefined();
  const error = new Error("no space");
  expect(recovery.failed(error)).toBe(error);
  await expect(recovery.ready()).rejects.toMatchObject({ code: "KV_CAPACITY" });
  expect(log).toEqual([]);
  full = false;
  const ready = recovery.ready();
  expect(recovery.renewing).toBe(ready);
  await ready;
  expect(log).toEqual(["readers ended", "renewed", "watchers told"]);
  expect(recovery.renewing).toBeUndefined();
  expect(recovery.ready()).toBeUndefined();
});

test("a write that failed for want of descriptors says so, and what to do", () => {
  const connection = { custody: new Custody({ fault: () => undefined }), renew: async () => undefined };
  const recovery = new Recovery(
    connection,
    async () => undefined,
    () => undefined,
  );
  const cause = new Error("IO error: 000004.log: Too many open files");
  expect(recovery.failed(cause)).toMatchObject({
    code: "KV_UNAVAILABLE",
    message: expect.stringMatching(/too many files open .*ulimit/),
    cause,
  });
});
