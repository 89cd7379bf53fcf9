import assert from "node:assert/strict";
import { KvError } from "@kv/core";
import { collect, contents, fill } from "../../assertions/contents.ts";
import type { Case } from "../../suite/chapter.ts";
import type { Context } from "../../suite/context.ts";
import { rejectionOf } from "../../suite/refusal.ts";

async function withACorruptOne({ store, plantCorrupt }: Context): Promise<void> {
  await fill(store, ["a", "b", "d", "e"]);
  await plantCorrupt("c");
}

export const corruptEntries: readonly Case[] = [
  {
    title: "an entry that cannot be decoded is KV_CORRUPT on read, naming the key",
    async run(context) {
      const { store, refused } = context;
      await withACorruptOne(context);
      await refused("KV_CORRUPT", () => store.get("c"), { operation: "get", key: "c" });
      await refused("KV_CORRUPT", () => store.getOrThrow("c"), { operation: "getOrThrow", key: "c" });
      await refused("KV_CORRUPT", () => store.getEntry("c"), { operation: "getEntry", key: "c" });
      await refused("KV_CORRUPT", () => store.getMany(["a", "c"]), { operation: "getMany", key: "c" });
      await refused("KV_CORRUPT", () => store.update("c", () => 1), { operation: "update", key: "c" });
      assert.equal(await store.get("a"), 0);
    },
  },
  {
    title: "a scan leaves a corrupt entry out and yields every other",
    async run(context) {
      const { store } = context;
      await withACorruptOne(context);
      const rest = [
        ["a", 0],
        ["b", 1],
        ["d", 2],
        ["e", 3],
      ];
      assert.deepEqual(await contents(store), rest);
      assert.deepEqual(await collect(store.values()), [0, 1, 2, 3]);
      assert.deepEqual(await store.range("", undefined), rest);
      assert.deepEqual(
        (await store.page()).entries.map(({ key }) => key),
        ["a", "b", "d", "e"],
      );
      assert.deepEqual(await collect(store.values({ reverse: true })), [3, 2, 1, 0]);
    },
  },
  {
    title: "pages over a corrupt entry still come to their end",
    async run(context) {
      const { store } = context;
      await withACorruptOne(context);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.page({ limit: 1, cursor });
        seen.push(...page.entries.map(({ key }) => key));
        cursor = page.cursor;
      } while (cursor !== undefined && seen.length < 10);
      assert.deepEqual(seen, ["a", "b", "d", "e"]);
    },
  },
  {
    title: "onCorrupt: throw ends a scan with KV_CORRUPT",
    async run(context) {
      const { store, refused } = context;
      await withACorruptOne(context);
      await refused("KV_CORRUPT", () => collect(store.entries({ onCorrupt: "throw" })), {
        operation: "entries",
        key: "c",
      });
      await refused("KV_CORRUPT", () => collect(store.values({ onCorrupt: "throw" })), {
        operation: "values",
        key: "c",
      });
      await refused("KV_CORRUPT", () => store.range("", undefined, { onCorrupt: "throw" }), {
        operation: "range",
        key: "c",
      });
      await refused("KV_CORRUPT", () => store.page({ onCorrupt: "throw" }), { operation: "page", key: "c" });
      const seen: string[] = [];
      await rejectionOf(async () => {
        for await (const { key } of store.entries({ onCorrupt: "throw" })) seen.push(key);
      });
      assert.deepEqual(seen, ["a", "b"]);
    },
  },
  {
    title: "onCorrupt as a callback is told of every corrupt entry, and the scan goes on",
    async run(context) {
      const { store, open } = context;
      await withACorruptOne(context);
      const told: KvError[] = [];
      const onCorrupt = (error: KvError): void => {
        told.push(error);
      };
      assert.deepEqual(await collect(store.values({ onCorrupt })), [0, 1, 2, 3]);
      assert.deepEqual(await collect(open({ onCorrupt }).store.values()), [0, 1, 2, 3]);
      assert.deepEqual(
        told.map((error) => [error.code, error.key]),
        [
          ["KV_CORRUPT", "c"],
          ["KV_CORRUPT", "c"],
        ],
      );
      assert.ok(told.every((error) => KvError.is(error)));
    },
  },
  {
    title: "what a scan leaves out it warns of once",
    async run(context) {
      const { store } = context;
      // Keys of their own, because other cases in this process cause warnings, too.
      for (const key of ["rotten 1", "rotten 2"]) await context.plantCorrupt(key);
      const warnings: string[] = [];
      const listen = ({ name, message }: Error): void => {
        if (name === "KvWarning" && message.includes("rotten")) warnings.push(message);
      };
      process.on("warning", listen);
      try {
        await contents(store);
        await contents(store);
        await store.range("");
        // Node emits warnings in a later turn.
        await new Promise((resolve) => setImmediate(resolve));
      } finally {
        process.off("warning", listen);
      }
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? "", /"rotten 1"/);
    },
  },
  {
    title: "the store's onCorrupt is the default of its scans, and a scan's own goes before it",
    async run(context) {
      const { open, refused } = context;
      await withACorruptOne(context);
      const { store } = open({ onCorrupt: "throw" });
      await refused("KV_CORRUPT", () => store.range(""), { key: "c" });
      assert.equal((await store.range("", undefined, { onCorrupt: "skip" })).length, 4);
    },
  },
  {
    title: "a corrupt entry exists, and can be listed, replaced and deleted",
    async run(context) {
      const { store } = context;
      await withACorruptOne(context);
      assert.equal(await store.has("c"), true);
      assert.equal(await store.count(), 5);
      assert.deepEqual(await collect(store.keys()), ["a", "b", "c", "d", "e"]);
      assert.equal(await store.create("c", 1), undefined);
      assert.equal(typeof (await store.getMetadata("c"))?.revision, "string");
      await store.set("c", "mended");
      assert.equal(await store.get("c"), "mended");
      await context.plantCorrupt("c");
      assert.equal(await store.delete("c"), true);
      assert.equal(await store.has("c"), false);
    },
  },
];
