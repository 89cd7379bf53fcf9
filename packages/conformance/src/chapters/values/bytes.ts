import assert from "node:assert/strict";
import { json, type Store, structured } from "@kv/core";
import { contents } from "../../assertions/contents.ts";
import { inJson } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const TEXT_LIKE = new TextEncoder().encode('{"a":1}');
const NO_UTF8 = new Uint8Array([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]);

async function assertBytes(store: Store, key: string, expected: Uint8Array): Promise<void> {
  const read = await store.get(key);
  assert.ok(read instanceof Uint8Array, `not a Uint8Array: ${String(read)}`);
  assert.deepEqual(new Uint8Array(read), new Uint8Array(expected));
}

function underEveryCodec(title: string, body: (store: Store) => Promise<void>): Case[] {
  return [json, structured].map((codec) => ({
    title: `${title} (codec ${codec.name})`,
    run: ({ open }) => body(open({ codec }).store),
  }));
}

export const bytes: readonly Case[] = [
  ...underEveryCodec("a Uint8Array is stored as bytes and reads back as Uint8Array", async (store) => {
    for (const value of [EVERY_BYTE, new Uint8Array(), TEXT_LIKE, NO_UTF8, new Uint8Array(100_000).fill(7)]) {
      await store.set("k", value);
      await assertBytes(store, "k", value);
    }
    const [, [, read] = []] = [0, (await contents(store))[0]];
    assert.ok(read instanceof Uint8Array);
  }),
  ...underEveryCodec("a Buffer is stored as bytes and reads back as plain Uint8Array", async (store) => {
    await store.set("k", Buffer.from("grüße\0"));
    await assertBytes(store, "k", Buffer.from("grüße\0"));
    assert.equal(((await store.get("k")) as object).constructor, Uint8Array);
  }),
  ...underEveryCodec("a part of a larger buffer is stored without the rest of it", async (store) => {
    await store.set("k", EVERY_BYTE.subarray(10, 13));
    await assertBytes(store, "k", new Uint8Array([10, 11, 12]));
  }),
  ...underEveryCodec(
    "bytes that the caller changes after a write or a read are not changed in the store",
    async (store) => {
      const written = new Uint8Array([1, 2, 3]);
      const promise = store.set("k", written);
      written.fill(9);
      await promise;
      const read = await store.get("k");
      assert.ok(read instanceof Uint8Array);
      read.fill(8);
      await assertBytes(store, "k", new Uint8Array([1, 2, 3]));
    },
  ),
  {
    title: "a Uint8Array inside another value is no JSON",
    requires: inJson,
    async run({ store, refused }) {
      await refused("KV_INVALID_VALUE", () => store.set("k", { file: new Uint8Array(2) }), {
        says: "$.file",
      });
    },
  },
  {
    title: "bytes are no number to increment",
    async run({ store, refused }) {
      await store.set("k", new Uint8Array([0x31]));
      await refused("KV_INVALID_VALUE", () => store.increment("k"), { key: "k" });
      await assertBytes(store, "k", new Uint8Array([0x31]));
    },
  },
];
