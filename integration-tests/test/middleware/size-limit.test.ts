import { createStore, sizeLimit } from "@kv/core";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { describe, expect, it } from "vitest";
import { collected } from "./collected.ts";

describe.each([
  ["memory", () => memory()],
  ["sqlite", () => sqlite({ path: ":memory:" })],
])("sizeLimit over %s", (_, backend) => {
  it("refuses what is larger, to the byte, and nothing else of the batch", async () => {
    const store = createStore(backend(), { middleware: [sizeLimit({ maxValueBytes: 10 })] });
    const results = await Promise.allSettled([
      store.set("fits", "x".repeat(8)),
      store.set("too long", "x".repeat(9)),
      store.set("too many bytes", "é".repeat(5)),
      store.set("bytes", new Uint8Array(10)),
      store.set("more bytes", new Uint8Array(11)),
      store.increment("counted", 12345678901),
      store.atomic().set("part", 1).set("large part", [1, 2, 3, 4, 5]).commit(),
    ]);
    expect(results.map((result) => (result.status === "rejected" ? result.reason.key : "ok"))).toEqual([
      "ok",
      "too long",
      "too many bytes",
      "ok",
      "more bytes",
      "ok",
      "large part",
    ]);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason.code).toBe("KV_CAPACITY");
    }
    expect(await collected(store.keys())).toEqual(["bytes", "counted", "fits"]);
    await store.close();
  });
});
