import assert from "node:assert/strict";
import { contents, fill } from "../../assertions/contents.ts";
import { OPERATIONS } from "../../model/random-operations.ts";
import { NASTY_KEYS } from "../../samples/nasty-keys.ts";
import type { Case } from "../../suite/chapter.ts";

/** Paths that a naive way of joining segments would confuse. */
const PATHS: readonly (readonly string[])[] = [
  ["a"],
  ["b"],
  ["a", "b"],
  ["a", "b", "c"],
  ["a", "b:k"],
  ["a:b", "k"],
  ["a:b:k"],
  ["a", "b/c"],
  ["a/b", "c"],
  ["a/b/c"],
  ["a/b"],
  ["a/"],
  ["/a"],
  ["a~1b"],
  ["a~0b"],
  ["a~b"],
  ["~"],
  ["~1"],
  ["a", "~1"],
  ["a%2Fb"],
  ["a\0b"],
  ["a", "\0"],
  ["\0"],
  [":"],
  ["a:"],
  [":a"],
  ["*"],
  ["a*"],
  ["a%"],
  ["A"],
  ["__proto__"],
  ["constructor"],
  ["é"],
  ["e\u0301"],
  ["\uffff"],
  ["\u{10000}"],
  ["a", "a"],
  ["a", "a", "a"],
  [" "],
  ["a "],
  ["0"],
  ["."],
  ["..", ".."],
];

export const namespaces: readonly Case[] = [
  {
    title: "any two different paths are isolated, whatever characters they hold",
    async run({ store }) {
      for (const path of PATHS) await store.namespace(...path).set("k", path);
      await store.set("k", "here");
      for (const path of PATHS) {
        const view = store.namespace(...path);
        assert.deepEqual(await contents(view), [["k", path]], JSON.stringify(path));
        assert.equal(await view.count(), 1);
      }
      assert.deepEqual(await contents(store), [["k", "here"]]);
    },
  },
  {
    title: "one path is one namespace, however many views of it there are and however it is composed",
    async run({ store, open }) {
      await store.namespace("a", "b").set("k", 1);
      assert.equal(await store.namespace("a").namespace("b").get("k"), 1);
      assert.equal(await store.namespace("a", "b").namespace().get("k"), 1);
      assert.equal(await open().store.namespace("a", "b").get("k"), 1);
    },
  },
  {
    title: "deleting, clearing and counting in one namespace is unseen in every other",
    async run({ store }) {
      for (const path of PATHS) await fill(store.namespace(...path), ["k", "l"]);
      for (const path of PATHS) {
        const view = store.namespace(...path);
        assert.equal(await view.delete("l"), true);
        assert.equal(await view.clear(), 1, JSON.stringify(path));
      }
      assert.deepEqual(await store.listNamespaces(), []);
    },
  },
  {
    title: "a parent's keys, count and clear do not see its children",
    async run({ store }) {
      await fill(store, ["child", "k"]);
      await fill(store.namespace("child"), ["k", "l"]);
      await fill(store.namespace("child", "grandchild"), ["k"]);
      assert.deepEqual(
        (await contents(store)).map(([key]) => key),
        ["child", "k"],
      );
      assert.equal(await store.count(), 2);
      assert.equal((await store.stats()).keys, 2);
      assert.equal(await store.clear(), 2);
      assert.equal(await store.namespace("child").count(), 2);
      assert.equal(await store.namespace("child", "grandchild").count(), 1);
    },
  },
  {
    title: "clear({ namespaces: true }) takes all namespaces below along, and none beside",
    async run({ store, prefix, refused }) {
      await store.set("k", 1);
      const below = [["a"], ["a", "b"], ["a", "b", "c"], ["ab"], ["a/b"]];
      for (const path of below) await fill(store.namespace(...path), ["k", "l"]);
      if (prefix !== "") {
        await refused("KV_INVALID_OPTION", () => store.clear({ namespaces: true }), {
          operation: "clear",
          says: "namespaces",
        });
        assert.equal(await store.count(), 1);
      }
      assert.equal(await store.namespace("a").clear({ namespaces: true }), 6);
      assert.deepEqual(await store.listNamespaces(), [["a/b"], ["ab"]]);
      assert.equal(await store.count(), 1);
      if (prefix !== "") return;
      assert.equal(await store.clear({ namespaces: true }), 5);
      assert.deepEqual(await store.listNamespaces(), []);
    },
  },
  {
    title: "clear({ namespaces: true }) of a namespace leaves the one above it alone",
    async run({ root, store }) {
      await root.set("above", 1);
      await root.namespace("beside").set("k", 1);
      const inner = root.namespace("inner");
      await inner.namespace("deep").set("k", 1);
      assert.equal(await inner.clear({ namespaces: true }), 1);
      assert.equal(await root.get("above"), 1);
      assert.equal(await root.namespace("beside").get("k"), 1);
      assert.equal(await store.has("above"), store === root);
    },
  },
  {
    title: "clear({ namespaces: true }) goes with no bounds, and namespaces is true or false",
    async run({ store, refused }) {
      await store.set("k", 1);
      for (const more of [{ prefix: "a" }, { limit: 1 }, { gt: "a" }, { reverse: true }]) {
        await refused("KV_INVALID_OPTION", () => store.clear({ namespaces: true, ...more }), {
          operation: "clear",
        });
      }
      await refused("KV_INVALID_OPTION", () => store.clear({ namespaces: "yes" as never }), {
        operation: "clear",
      });
      assert.equal(await store.count(), 1);
      assert.equal(await store.clear({ namespaces: false }), 1);
    },
  },
  {
    title: "listNamespaces gives the paths below as segments, relative, sorted, each once, at any depth",
    async run({ store }) {
      for (const path of [
        ["b"],
        ["a", "b"],
        ["a"],
        ["a", "c", "d"],
        ["\u{10000}"],
        ["\uffff"],
        ["a", "b", "c"],
      ]) {
        await fill(store.namespace(...path), ["k", "l"]);
      }
      assert.deepEqual(await store.listNamespaces(), [
        ["a"],
        ["a", "b"],
        ["a", "b", "c"],
        ["a", "c", "d"],
        ["b"],
        ["\uffff"],
        ["\u{10000}"],
      ]);
      assert.deepEqual(await store.namespace("a").listNamespaces(), [["b"], ["b", "c"], ["c", "d"]]);
      assert.deepEqual(await store.namespace("a", "b", "c").listNamespaces(), []);
      assert.deepEqual(await store.namespace("never").listNamespaces(), []);
    },
  },
  {
    title: "listNamespaces gives back the segments as they were, whatever characters they hold",
    async run({ store }) {
      for (const path of PATHS) await store.namespace(...path).set("k", 1);
      const listed = new Set((await store.listNamespaces()).map((path) => JSON.stringify(path)));
      assert.deepEqual(listed, new Set(PATHS.map((path) => JSON.stringify(path))));
      await store.clear();
      for (const segment of NASTY_KEYS) await store.namespace("all", segment).set("k", 1);
      const all = await store.namespace("all").listNamespaces();
      assert.deepEqual(new Set(all.map(([segment]) => segment)), new Set(NASTY_KEYS));
      assert.equal(all.length, NASTY_KEYS.length);
    },
  },
  {
    title:
      "listNamespaces leaves out what holds no live entry: an empty one, a cleared one, and a mere ancestor",
    async run({ store }) {
      await store.namespace("parent", "child").set("k", 1);
      await store.namespace("emptied").set("k", 1);
      await store.namespace("emptied").delete("k");
      await store.namespace("cleared").set("k", 1);
      await store.namespace("cleared").clear();
      await store.namespace("looked").get("k");
      assert.deepEqual(await store.listNamespaces(), [["parent", "child"]]);
    },
  },
  {
    title:
      "a namespace that was emptied and swept is as good as new, also for views of it that were made before",
    async run({ store, open }) {
      const views = [store.namespace("tenant", "1"), open().store.namespace("tenant", "1")] as const;
      for (const [round, view] of [...views, ...views].entries()) {
        const other = views[(round + 1) % 2] ?? view;
        await view.set("k", round);
        assert.equal(await other.get("k"), round);
        assert.equal(await other.take("k"), round);
        await store.sweep();
        await store.namespace("beside", String(round)).set("k", "beside");
        assert.equal(await view.get("k"), undefined);
        assert.equal(await other.increment("n"), 1);
        assert.deepEqual(await contents(view), [["n", 1]]);
        assert.equal(await view.count(), 1);
        assert.equal(await view.clear(), 1);
        await store.sweep();
        assert.deepEqual(await store.namespace("tenant").listNamespaces(), []);
      }
      assert.equal((await store.namespace("beside").listNamespaces()).length, 4);
    },
  },
  {
    title: "listNamespaces takes a prefix of the first segment, which is no pattern, and a depth",
    async run({ store }) {
      for (const path of [["ab"], ["a*"], ["ab", "c"], ["b", "a"], ["b", "a", "c"], ["a/b"]])
        await store.namespace(...path).set("k", 1);
      assert.deepEqual(await store.listNamespaces({ prefix: "a" }), [["a*"], ["a/b"], ["ab"], ["ab", "c"]]);
      assert.deepEqual(await store.listNamespaces({ prefix: "a*" }), [["a*"]]);
      assert.deepEqual(await store.listNamespaces({ prefix: "a/" }), [["a/b"]]);
      assert.deepEqual(await store.listNamespaces({ depth: 1 }), [["a*"], ["a/b"], ["ab"]]);
      assert.deepEqual(await store.listNamespaces({ depth: 2, prefix: "b" }), [["b", "a"]]);
      assert.equal((await store.listNamespaces({ depth: Number.POSITIVE_INFINITY, prefix: "" })).length, 6);
    },
  },
  {
    title: "listNamespaces refuses a prefix that is no string and a depth that is no positive integer",
    async run({ store, refused }) {
      for (const depth of [0, -1, 1.5, Number.NaN, "1", null]) {
        await refused("KV_INVALID_OPTION", () => store.listNamespaces({ depth: depth as number }), {
          operation: "listNamespaces",
          says: "depth",
        });
      }
      for (const prefix of [1, null, {}]) {
        await refused("KV_INVALID_OPTION", () => store.listNamespaces({ prefix: prefix as never }), {
          operation: "listNamespaces",
          says: "prefix",
        });
      }
    },
  },
  {
    title: "namespace with an impossible segment throws nothing: its operations reject with KV_INVALID_KEY",
    async run({ store, refused }) {
      for (const segment of ["", "\ud800", 1, null, undefined, {}]) {
        const views = [
          store.namespace(segment as string),
          store.namespace("a", segment as string),
          store
            .namespace(segment as string)
            .namespace("b")
            .scope("c"),
        ];
        for (const view of views) {
          await refused("KV_INVALID_KEY", () => view.get("k"), { operation: "get" });
          await refused("KV_INVALID_KEY", () => view.set("k", 1), { operation: "set" });
        }
      }
      for (const { call } of OPERATIONS) await refused("KV_INVALID_KEY", () => call(store.namespace("")));
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "a namespace is isolated from the scopes of the one above",
    async run({ store }) {
      await store.namespace("user").set("k", "namespace");
      await store.scope("user").set("k", "scope");
      assert.equal(await store.namespace("user").get("k"), "namespace");
      assert.deepEqual(await contents(store), [["user:k", "scope"]]);
      assert.equal(await store.namespace("user").get("user:k"), undefined);
    },
  },
];
