import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import type { Store } from "@kv/core";
import { collect } from "../../assertions/contents.ts";
import { everyone, pause, strangers } from "../../assertions/strangers.ts";
import { atomically } from "../../suite/abilities.ts";
import type { Case, Chapter } from "../../suite/chapter.ts";
import { histories } from "./histories.ts";
import { winners } from "./winners.ts";

/** The caller's request, kept as a server would keep it. */
const request = new AsyncLocalStorage<string>();
const CALLERS = ["ann", "bob", "cleo"] as const;

const contexts: readonly Case[] = [
  {
    title:
      "the function of an update runs in the async context of its caller, though others work on the same key",
    async run({ store }) {
      const seen: string[] = [];
      const note = (caller: string) => void seen.push(`${caller} as ${request.getStore()}`);
      await everyCaller(async (caller) => {
        await Promise.all([
          store.update("k", (value) => {
            note(caller);
            return Number(value ?? 0) + 1;
          }),
          store.update("k", async (value) => {
            await pause(1);
            note(caller);
            return Number(value ?? 0) + 1;
          }),
        ]);
      });
      assert.equal(await store.get("k"), 2 * CALLERS.length);
      assert.deepEqual(new Set(seen), new Set(CALLERS.map((caller) => `${caller} as ${caller}`)));
    },
  },
  {
    title:
      "the function of a transaction runs in the async context of its caller, though others work on the same key",
    requires: atomically,
    async run({ store }) {
      const seen: string[] = [];
      await everyCaller((caller) =>
        store.transaction(async (tx) => {
          const value = await tx.get("k");
          seen.push(`${caller} as ${request.getStore()}`);
          tx.set("k", Number(value ?? 0) + 1);
        }),
      );
      assert.equal(await store.get("k"), CALLERS.length);
      assert.deepEqual(new Set(seen), new Set(CALLERS.map((caller) => `${caller} as ${caller}`)));
    },
  },
];

/** All at once, each in an async context of its own. */
async function everyCaller(run: (caller: string) => Promise<unknown>): Promise<void> {
  await Promise.all(CALLERS.map((caller) => request.run(caller, () => run(caller))));
}

const contention: readonly Case[] = [
  {
    title: "concurrent updates lose none of one another",
    async run(context) {
      await everyone(strangers(context, 4), 10, (store, id) =>
        store.update("list", (list) => [...((list as string[] | undefined) ?? []), id]),
      );
      const list = (await context.store.get("list")) as string[];
      assert.equal(list.length, 40);
      assert.equal(new Set(list).size, 40);
    },
  },
  {
    title: "concurrent updates by asynchronous functions lose none of one another",
    async run(context) {
      await everyone(strangers(context, 3), 4, (store) =>
        store.update("n", async (value) => {
          await pause(1);
          return Number(value ?? 0) + 1;
        }),
      );
      assert.equal(await context.store.get("n"), 12);
    },
  },
  {
    title: "transactions that move money between accounts keep the sum, and nobody sees another one",
    requires: atomically,
    async run(context) {
      const accounts = ["a", "b", "c", "d"];
      await context.store.setMany(accounts.map((account) => [account, 100]));
      const sums: number[] = [];
      const sum = async (store: Store): Promise<void> => {
        const values = await store.transaction(async (tx) => [
          await tx.get("a"),
          await tx.get("b"),
          ...(await tx.getMany(["c", "d"])),
        ]);
        sums.push(values.reduce<number>((total, value) => total + Number(value), 0));
      };
      await everyone(strangers(context, 3), 8, async (store, id) => {
        const [from = "a", to = "b"] = [
          accounts[Number(id.at(-1)) % 4],
          accounts[(Number(id.at(-1)) + Number(id[0]) + 1) % 4],
        ];
        await store.transaction(async (tx) => {
          const there = Number(await tx.get(from));
          if (from === to || there < 30) return;
          tx.set(from, there - 30);
          tx.set(to, Number(await tx.get(to)) + 30);
        });
        await sum(store);
      });
      assert.ok(
        sums.every((total) => total === 400),
        sums.join(),
      );
      const values = (await context.store.getMany(accounts)).map(Number);
      assert.equal(
        values.reduce((total, value) => total + value),
        400,
      );
      assert.ok(values.every((value) => value >= 0));
    },
  },
  {
    title: "a commit is seen whole or not at all, by getMany in one call and by a snapshot scan",
    requires: atomically,
    async run(context) {
      const { store, capabilities } = context;
      const [writer, reader] = strangers(context, 2);
      assert.ok(writer !== undefined && reader !== undefined);
      const keys = ["a", "b", "c"];
      await store.setMany(keys.map((key) => [key, 0]));
      let writing = true;
      const writes = (async () => {
        for (let round = 1; round <= 50; round++) {
          const commit = writer.atomic();
          for (const key of keys) commit.set(key, round);
          await commit.commit();
          await pause(round % 3);
        }
        writing = false;
      })();
      const torn: unknown[][] = [];
      while (writing) {
        const seen = [
          await reader.getMany(keys),
          capabilities.snapshotScans ? await collect(reader.values()) : [],
        ];
        torn.push(...seen.filter((values) => new Set(values).size > 1));
        await pause(1);
      }
      await writes;
      assert.deepEqual(torn, []);
    },
  },
  {
    title: "creates and deletes of one key by many, with a counter for each, add up",
    async run(context) {
      const counts = { created: 0, deleted: 0 };
      await everyone(strangers(context, 3), 30, async (store, id) => {
        await pause(Number(id.at(-1)) % 3);
        if ((await store.create("k", id)) !== undefined) counts.created += 1;
        if (await store.delete("k")) counts.deleted += 1;
      });
      assert.equal(counts.created - counts.deleted, (await context.store.has("k")) ? 1 : 0);
      assert.ok(counts.created > 0);
    },
  },
];

export const concurrency: Chapter = {
  title: "concurrency",
  cases: [...winners, ...contention, ...contexts, ...histories],
};
