import assert from "node:assert/strict";
import { forward } from "@kv/core";
import { fill } from "../../assertions/contents.ts";
import type { Case } from "../../suite/chapter.ts";

const LETTERS = ["a", "aa", "ab", "b", "ba", "c"];

export const unordered: readonly Case[] = [
  {
    title: "where a backend keeps no order ranges are KV_UNSUPPORTED, and nothing is removed",
    async run({ open, refused, store }) {
      await fill(store, LETTERS);
      const unordered = open({}, (inner) =>
        forward(inner, { capabilities: { ...inner.capabilities, ordered: false } }),
      ).store;
      for (const scan of [unordered.keys(), unordered.values(), unordered.entries()]) {
        await refused("KV_UNSUPPORTED", () => scan.next());
      }
      await refused("KV_UNSUPPORTED", () => unordered.range("a"), { operation: "range" });
      await refused("KV_UNSUPPORTED", () => unordered.page(), { operation: "page" });
      await refused("KV_UNSUPPORTED", () => unordered.count({ prefix: "a" }), { operation: "count" });
      await refused("KV_UNSUPPORTED", () => unordered.clear({ prefix: "a" }), { operation: "clear" });
      assert.equal(await store.count(), LETTERS.length);
    },
  },
];
