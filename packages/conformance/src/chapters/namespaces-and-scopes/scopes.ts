import assert from "node:assert/strict";
import { recorder } from "../../assertions/between-store-and-adapter.ts";
import { collect, contents, fill } from "../../assertions/contents.ts";
import { OPERATIONS } from "../../model/random-operations.ts";
import { NASTY_KEYS } from "../../samples/nasty-keys.ts";
import { atomically } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";

export const scopes: readonly Case[] = [
  {
    title: "scopes in scopes write their prefixes and colons, and the parent reads under that key",
    async run({ store }) {
      await store.scope("user").scope("admin").set("001", "ada");
      assert.deepEqual(await contents(store), [["user:admin:001", "ada"]]);
      assert.equal(await store.get("user:admin:001"), "ada");
      assert.equal(await store.scope("user").get("admin:001"), "ada");
      assert.equal(await store.scope("user:admin").get("001"), "ada");
      await store.set("user:admin:002", "bob");
      assert.equal(await store.scope("user").scope("admin").get("002"), "bob");
    },
  },
  {
    title: "a scope sees its own keys without the prefix, and no others",
    async run({ store }) {
      await fill(store, ["user", "user:", "user:a", "user:b:c", "user;", "user9", "users:a", "use", "other"]);
      const scoped = store.scope("user");
      // "user:" would be the empty key in the scope, and keys are not empty.
      await store.delete("user:");
      assert.deepEqual(await collect(scoped.keys()), ["a", "b:c"]);
      assert.deepEqual(
        (await collect(scoped.entries())).map(({ key }) => key),
        ["a", "b:c"],
      );
      assert.deepEqual(
        (await scoped.range("")).map(([key]) => key),
        ["a", "b:c"],
      );
      assert.deepEqual(
        (await scoped.page()).entries.map(({ key }) => key),
        ["a", "b:c"],
      );
      assert.equal(await scoped.count(), 2);
      assert.equal((await scoped.stats()).keys, 2);
      assert.equal((await scoped.getEntry("a"))?.key, "a");
    },
  },
  {
    title: "bounds, prefixes and pages are within the scope",
    async run({ store }) {
      const scoped = store.scope("s");
      await fill(scoped, ["a", "b", "c", "d"]);
      await fill(
        store,
        ["a", "s", "s:", "sa", "t"].filter((key) => key !== "s:"),
      );
      assert.deepEqual(await collect(scoped.keys({ gt: "a", lte: "c" })), ["b", "c"]);
      assert.deepEqual(await collect(scoped.keys({ gte: "" })), ["a", "b", "c", "d"]);
      assert.deepEqual(await collect(scoped.keys({ lt: "\u{10ffff}", reverse: true, limit: 2 })), ["d", "c"]);
      assert.deepEqual(await collect(scoped.keys({ prefix: "s" })), []);
      const first = await scoped.page({ limit: 3 });
      assert.deepEqual(
        (await scoped.page({ limit: 3, cursor: first.cursor })).entries.map(({ key }) => key),
        ["d"],
      );
      assert.equal(await scoped.clear({ gt: "b" }), 2);
      assert.deepEqual(await collect(store.keys()), ["a", "s", "s:a", "s:b", "sa", "t"]);
    },
  },
  {
    title: "a scope whose prefix is any nasty key writes under it and a colon",
    async run({ store }) {
      for (const prefix of NASTY_KEYS) await store.scope(prefix).set("k", prefix);
      for (const prefix of NASTY_KEYS) {
        assert.equal(await store.get(`${prefix}:k`), prefix, JSON.stringify(prefix));
        assert.equal(await store.scope(prefix).get("k"), prefix, JSON.stringify(prefix));
      }
      assert.equal(await store.count(), NASTY_KEYS.length);
    },
  },
  {
    title: "every operation of a scope works on its own keys",
    requires: atomically,
    async run({ store }) {
      const scoped = store.scope("s");
      await fill(store, ["k", "n"]);
      await scoped.set("k", 1);
      await scoped.setMany([["l", 2]]);
      await scoped.create("m", 3);
      await scoped.increment("n", 4);
      await scoped.update("o", () => 5);
      assert.deepEqual(await scoped.getMany(["k", "l", "m", "n", "o"]), [1, 2, 3, 4, 5]);
      const result = await scoped
        .atomic()
        .check("k", (await scoped.getMetadata("k"))?.revision ?? "")
        .check("p", null)
        .set("p", 6)
        .delete("l")
        .increment("n")
        .commit();
      assert.ok(result.ok);
      assert.deepEqual([...result.revisions.keys()].sort(), ["n", "p"]);
      assert.deepEqual(await scoped.atomic().check("k", "stale").check("q", null).commit(), {
        ok: false,
        failed: ["k"],
      });
      await scoped.transaction(async (tx) =>
        tx.set("t", [await tx.get("k"), await tx.getMany(["m", "n"]), await tx.has("l")]),
      );
      assert.deepEqual(await scoped.take("t"), [1, [3, 5], false]);
      assert.equal(await scoped.delete("o"), true);
      assert.equal(await scoped.deleteMany(["m", "z"]), 1);
      assert.equal(await scoped.updateTtl("k", 60), true);
      assert.equal(await scoped.updatePolicy("p", "evict"), true);
      assert.equal(await scoped.clearCache(), 1);
      assert.deepEqual(await contents(store), [
        ["k", 0],
        ["n", 1],
        ["s:k", 1],
        ["s:n", 5],
      ]);
    },
  },
  {
    title: "an empty scope throws nothing: its operations reject with KV_INVALID_KEY",
    async run({ open, refused }) {
      const { calls, between } = recorder();
      const { store } = open({}, between);
      for (const prefix of ["", "\ud800", "x".repeat(1025), 1, null, undefined, {}]) {
        const view = store.scope(prefix as string);
        await refused("KV_INVALID_KEY", () => view.get("k"), { operation: "get" });
        await refused("KV_INVALID_KEY", () => view.scope("a").set("k", 1), { operation: "set" });
        await refused("KV_INVALID_KEY", () => view.namespace("a").set("k", 1), { operation: "set" });
      }
      for (const { call, name } of OPERATIONS) {
        await refused(
          "KV_INVALID_KEY",
          () => call(store.scope("")),
          name === "commit" ? {} : { operation: name },
        );
      }
      await refused("KV_INVALID_KEY", () => store.scope("").watch().next());
      await refused("KV_INVALID_KEY", () => store.scope("").subscribe(() => undefined));
      assert.deepEqual(
        calls.filter((call) => call !== "open"),
        [],
      );
    },
  },
  {
    title: "in a scope, too, the empty key is invalid",
    async run({ store, refused }) {
      const scoped = store.scope("s");
      await refused("KV_INVALID_KEY", () => scoped.get(""), { operation: "get", key: "" });
      await refused("KV_INVALID_KEY", () => scoped.set("", 1), { operation: "set", key: "" });
      await refused("KV_INVALID_KEY", () => scoped.scope("t").delete(""), { operation: "delete", key: "" });
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "errors in a scope name the key as the caller wrote it",
    async run({ store, refused }) {
      const scoped = store.scope("s");
      await scoped.set("text", "x");
      await refused("KV_NOT_FOUND", () => scoped.getOrThrow("k"), { operation: "getOrThrow", key: "k" });
      await refused("KV_INVALID_VALUE", () => scoped.increment("text"), {
        operation: "increment",
        key: "text",
      });
      await refused("KV_INVALID_VALUE", () => scoped.atomic().increment("text").commit(), { key: "text" });
      await refused("KV_INVALID_VALUE", () => scoped.setMany([["a", () => 1]]), {
        operation: "setMany",
        key: "a",
      });
    },
  },
  {
    title: "all views tell the capabilities of the backend",
    async run({ store, root, capabilities }) {
      for (const view of [
        root,
        store,
        store.scope("s"),
        store.namespace("n"),
        store.typed<number>(),
        store.readonly(),
      ]) {
        assert.deepEqual(view.capabilities, capabilities);
      }
    },
  },
  {
    title: "views share one connection: none of them opens the adapter again",
    async run({ open }) {
      const { calls, between } = recorder();
      const { root, store } = open({}, between);
      await Promise.all([
        root.get("k"),
        store.get("k"),
        store.scope("s").get("k"),
        store.namespace("n").get("k"),
        store.typed<number>().readonly().get("k"),
      ]);
      assert.equal(calls.filter((call) => call === "open").length, 1);
    },
  },
];
