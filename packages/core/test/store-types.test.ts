import {
  type AtomicResult,
  type Change,
  createStore,
  type Duration,
  type Entry,
  type Metadata,
  type Page,
  type Policy,
  type SetOptions,
  type Store,
  type StoreReader,
} from "@kv/core";
import * as v from "valibot";
import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { FakeAdapter } from "./fake-adapter.ts";

interface User {
  name: string;
  age: number;
}

const store = createStore(new FakeAdapter());
const users = store.typed<User>();

/** What the compiler checks is not run: `npm test` compiles the tests, and a wrong type fails there. */
function compiled(_: () => void): () => void {
  return () => undefined;
}

describe("the types", () => {
  it(
    "of an untyped store are unknown",
    compiled(() => {
      expectTypeOf(store).toEqualTypeOf<Store>();
      expectTypeOf(store.get("a")).resolves.toBeUnknown();
      expectTypeOf(createStore<number>(new FakeAdapter()).get("a")).resolves.toEqualTypeOf<
        number | undefined
      >();
    }),
  );

  it(
    "are inferred without annotations",
    compiled(() => {
      expectTypeOf(users.get("a")).resolves.toEqualTypeOf<User | undefined>();
      expectTypeOf(users.get("a", null)).resolves.toEqualTypeOf<User | null>();
      expectTypeOf(users.getOrThrow("a")).resolves.toEqualTypeOf<User>();
      expectTypeOf(users.getMany(["a"])).resolves.toEqualTypeOf<(User | undefined)[]>();
      expectTypeOf(users.getEntry("a")).resolves.toEqualTypeOf<Entry<User> | undefined>();
      expectTypeOf(users.range("a")).resolves.toEqualTypeOf<[key: string, value: User][]>();
      expectTypeOf(users.page()).resolves.toEqualTypeOf<Page<User>>();
      expectTypeOf(users.values()).toEqualTypeOf<AsyncIterableIterator<User>>();
      expectTypeOf(users.watch()).toEqualTypeOf<AsyncIterableIterator<Change<User>>>();
      expectTypeOf(
        users.atomic().set("a", { name: "a", age: 1 }).commit(),
      ).resolves.toEqualTypeOf<AtomicResult>();
      expectTypeOf(users.transaction(async (tx) => (await tx.get("a"))?.age)).resolves.toEqualTypeOf<
        number | undefined
      >();
      expectTypeOf(users.update).parameter(1).parameter(0).toEqualTypeOf<User | undefined>();
      expectTypeOf(users.namespace("x").scope("y")).toEqualTypeOf<Store<User>>();
      expectTypeOf<Metadata["policy"]>().toEqualTypeOf<Policy>();
    }),
  );

  it(
    "come from any Standard Schema: what is read, and what may be written",
    compiled(() => {
      const zod = store.typed(z.object({ name: z.string(), tags: z.array(z.string()).default([]) }));
      expectTypeOf(zod.get("a")).resolves.toEqualTypeOf<{ name: string; tags: string[] } | undefined>();
      expectTypeOf(zod.set).parameter(1).toEqualTypeOf<{ name: string; tags?: string[] | undefined }>();
      const valibot = store.typed(v.object({ id: v.number() }));
      expectTypeOf(valibot.get("a")).resolves.toEqualTypeOf<{ id: number } | undefined>();
    }),
  );

  it(
    "know what is an option",
    compiled(() => {
      expectTypeOf<{ ttl: "5m" }>().toExtend<SetOptions>();
      expectTypeOf<"5 minutes">().not.toExtend<Duration>();
      expectTypeOf<{ hours: number; minutes: number }>().toExtend<Duration>();
      // @ts-expect-error a misspelt option
      void users.set("a", { name: "a", age: 1 }, { tll: 5 });
      // @ts-expect-error a value of another type
      void users.set("a", { name: "a" });
      // @ts-expect-error replace needs a revision
      void users.replace("a", { name: "a", age: 1 }, { ttl: 5 });
      // @ts-expect-error setCache has its policy already
      void users.setCache("a", { name: "a", age: 1 }, { policy: "persist" });
    }),
  );

  it(
    "of a reader have no writing member",
    compiled(() => {
      expectTypeOf(users.readonly()).toEqualTypeOf<StoreReader<User>>();
      expectTypeOf<StoreReader>().not.toHaveProperty("set");
      expectTypeOf<StoreReader>().not.toHaveProperty("clear");
      expectTypeOf<StoreReader>().not.toHaveProperty("atomic");
      expectTypeOf(users).toExtend<StoreReader<User>>();
      expectTypeOf(users.readonly().namespace("a").scope("b")).toEqualTypeOf<StoreReader<User>>();
    }),
  );
});
