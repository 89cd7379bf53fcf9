import assert from "node:assert/strict";
import { collect, contents } from "../../assertions/contents.ts";
import { watched } from "../../assertions/watched.ts";
import { watching } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";

interface UserInput {
  readonly name: string;
  readonly visits?: number | undefined;
}

interface User {
  readonly name: string;
  readonly visits: number;
}

interface Issue {
  readonly message: string;
  readonly path?: readonly PropertyKey[];
}

type Result<O> = { readonly value: O; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

/** What Standard Schema asks for, and no more: https://standardschema.dev */
interface Schema<I, O> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Result<O> | Promise<Result<O>>;
    readonly types?: { readonly input: I; readonly output: O };
  };
}

/** Names are text and come back trimmed; visits are filled in. */
function validate(value: unknown): Result<User> {
  if (typeof value !== "object" || value === null) return { issues: [{ message: "no object" }] };
  const { name, visits = 0 } = value as { name?: unknown; visits?: unknown };
  if (typeof name !== "string") return { issues: [{ message: "name is no text", path: ["name"] }] };
  if (typeof visits !== "number") return { issues: [{ message: "visits are no number", path: ["visits"] }] };
  return { value: { name: name.trim(), visits } };
}

const users: Schema<UserInput, User> = { "~standard": { version: 1, vendor: "conformance", validate } };
const lateUsers: Schema<UserInput, User> = {
  "~standard": {
    version: 1,
    vendor: "conformance",
    validate: async (value) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return validate(value);
    },
  },
};

function withEither(
  title: string,
  run: (context: Parameters<Case["run"]>[0], schema: Schema<UserInput, User>) => Promise<void>,
): Case[] {
  return [
    { title: `${title} (a schema that answers at once)`, run: (context) => run(context, users) },
    { title: `${title} (a schema that answers later)`, run: (context) => run(context, lateUsers) },
  ];
}

const ADA: User = { name: "ada", visits: 0 };

export const typedViews: readonly Case[] = [
  ...withEither(
    "values are validated on write, and what the schema makes of them is stored",
    async ({ store }, schema) => {
      const typed = store.typed(schema);
      await typed.set("set", { name: " ada " });
      await typed.setMany([["setMany", { name: "ada" }]]);
      await typed.create("create", { name: "ada" });
      const { revision } = (await typed.getMetadata("create")) ?? { revision: "" };
      await typed.replace("create", { name: " ada" }, { revision });
      await typed.setCache("setCache", { name: "ada" });
      await typed.update("update", () => ({ name: "ada " }));
      await typed.atomic().set("atomic", { name: "ada" }).commit();
      await typed.transaction((tx) => tx.set("transaction", { name: "ada" }));
      const keys = ["atomic", "create", "set", "setCache", "setMany", "transaction", "update"];
      assert.deepEqual(
        await contents(store),
        keys.map((key) => [key, ADA]),
      );
    },
  ),
  ...withEither(
    "what the schema refuses is KV_INVALID_VALUE on write, naming the path, nothing written",
    async ({ store, refused }, schema) => {
      const typed = store.typed(schema);
      const bad = { name: 5 } as never;
      const { revision } = { revision: await typed.set("k", { name: "ada" }) };
      const expected = { says: "name" };
      await refused("KV_INVALID_VALUE", () => typed.set("k", bad), {
        ...expected,
        operation: "set",
        key: "k",
      });
      await refused(
        "KV_INVALID_VALUE",
        () =>
          typed.setMany([
            ["a", { name: "ok" }],
            ["b", bad],
          ]),
        { ...expected, operation: "setMany", key: "b" },
      );
      await refused("KV_INVALID_VALUE", () => typed.create("a", bad), {
        ...expected,
        operation: "create",
        key: "a",
      });
      await refused("KV_INVALID_VALUE", () => typed.replace("k", bad, { revision }), {
        ...expected,
        operation: "replace",
        key: "k",
      });
      await refused("KV_INVALID_VALUE", () => typed.setCache("a", bad), {
        ...expected,
        operation: "setCache",
        key: "a",
      });
      await refused("KV_INVALID_VALUE", () => typed.update("k", () => bad), {
        ...expected,
        operation: "update",
        key: "k",
      });
      await refused(
        "KV_INVALID_VALUE",
        () => typed.atomic().set("a", { name: "ok" }).set("b", bad).commit(),
        expected,
      );
      await refused("KV_INVALID_VALUE", () => typed.transaction((tx) => tx.set("a", bad)), expected);
      assert.deepEqual(await contents(store), [["k", ADA]]);
    },
  ),
  ...withEither(
    "values are validated on read, and one that does not fit is KV_INVALID_VALUE naming the key",
    async ({ store, refused }, schema) => {
      const typed = store.typed(schema);
      await store.setMany([
        ["a", { name: "ada" }],
        ["bad", { name: 1 }],
        ["z", { name: "zoe", visits: 2 }],
      ]);
      assert.deepEqual(await typed.get("a"), ADA);
      assert.deepEqual((await typed.getEntry("a"))?.value, ADA);
      await refused("KV_INVALID_VALUE", () => typed.get("bad"), {
        operation: "get",
        key: "bad",
        says: "name",
      });
      await refused("KV_INVALID_VALUE", () => typed.getOrThrow("bad"), {
        operation: "getOrThrow",
        key: "bad",
      });
      await refused("KV_INVALID_VALUE", () => typed.getEntry("bad"), { operation: "getEntry", key: "bad" });
      await refused("KV_INVALID_VALUE", () => typed.getMany(["a", "bad"]), { operation: "getMany" });
      assert.deepEqual(await collect(typed.values()), [ADA, { name: "zoe", visits: 2 }]);
      assert.deepEqual(
        (await typed.range("")).map(([key]) => key),
        ["a", "z"],
      );
      assert.deepEqual(
        (await typed.page()).entries.map(({ value }) => value),
        [ADA, { name: "zoe", visits: 2 }],
      );
      await refused("KV_INVALID_VALUE", () => collect(typed.values({ onCorrupt: "throw" })), {
        operation: "values",
        key: "bad",
      });
      assert.equal(await typed.has("bad"), true);
      assert.equal(await typed.get("absent"), undefined);
      assert.equal(await typed.get("absent", "fallback"), "fallback");
    },
  ),
  ...withEither("what does not fit on read is not taken away by take", async ({ store, refused }, schema) => {
    await store.set("bad", { name: 1 });
    await refused("KV_INVALID_VALUE", () => store.typed(schema).take("bad"), {
      operation: "take",
      key: "bad",
    });
    assert.deepEqual(await store.get("bad"), { name: 1 });
  }),
  ...withEither("program order holds however long the schema takes", async ({ store }, schema) => {
    const typed = store.typed(schema);
    const answers = await Promise.all([
      typed.set("k", { name: "one" }),
      typed.get("k"),
      typed.set("k", { name: "two" }),
      typed.get("k"),
      typed.delete("k"),
      typed.get("k"),
      typed.create("k", { name: "three" }),
      typed.get("k"),
      typed.has("k"),
    ]);
    const names = [answers[1], answers[3], answers[5], answers[7]].map((user) => user?.name);
    assert.deepEqual(names, ["one", "two", undefined, "three"]);
    assert.deepEqual([answers[4], answers[8]], [true, true]);
  }),
  ...withEither("views of a typed view validate, too", async ({ store, refused }, schema) => {
    const typed = store.typed(schema);
    for (const view of [typed.scope("s"), typed.namespace("n"), typed.scope("s").scope("t")]) {
      await refused("KV_INVALID_VALUE", () => view.set("k", {} as never), { operation: "set", key: "k" });
      await view.set("k", { name: " ada" });
      assert.deepEqual(await view.readonly().get("k"), ADA);
    }
  }),
  {
    title: "a schema that throws refuses the value, and what it threw is the cause",
    async run({ store }) {
      const failure = new Error("no schema today");
      const typed = store.typed({
        "~standard": {
          version: 1,
          vendor: "conformance",
          validate: () => {
            throw failure;
          },
        },
      } as Schema<UserInput, User>);
      await assert.rejects(
        () => typed.set("k", ADA),
        (error: unknown) => error === failure || (error as Error).cause === failure,
      );
      assert.equal(await store.has("k"), false);
    },
  },
  {
    title: "typed without a schema is types alone",
    async run({ store }) {
      const typed = store.typed<User>();
      await typed.set("k", "no user" as never);
      assert.equal(await typed.get("k"), "no user");
      assert.equal(await store.get("k"), "no user");
    },
  },
  {
    title: "what is no schema throws nothing: the view's operations reject with KV_INVALID_OPTION",
    async run({ store, refused }) {
      for (const none of [5, "schema", {}, null, { "~standard": {} }, () => true]) {
        const typed = store.typed(none as never);
        await refused("KV_INVALID_OPTION", () => typed.set("k", 1 as never), { operation: "set" });
        await refused("KV_INVALID_OPTION", () => typed.get("k"), { operation: "get" });
      }
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "a typed watcher is told values of its type, and not of those that do not fit",
    requires: watching,
    async run({ store }) {
      const seen = await watched(store.typed(users) as unknown as typeof store);
      await store.set("bad", { name: 1 });
      await store.set("good", { name: " ada" });
      await seen.until((changes) => changes.length === 1);
      assert.deepEqual(seen.changes[0]?.value, ADA);
      seen.stop();
    },
  },
];
