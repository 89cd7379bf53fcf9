import assert from "node:assert/strict";
import type { Store } from "@kv/core";
import fc from "fast-check";
import type { Case, Chapter } from "../chapter.ts";
import { collect } from "../contents.ts";
import type { Context } from "../context.ts";
import { History } from "../history.ts";
import { runs } from "../property.ts";

/** Stores that know nothing of one another, over one backend: no program order helps them. */
function strangers({ open }: Pick<Context, "open">, count: number): Store[] {
  return Array.from({ length: count }, () => open().store);
}

async function everyone(
  stores: readonly Store[],
  times: number,
  work: (store: Store, id: string) => Promise<unknown>,
): Promise<unknown[]> {
  return Promise.all(
    stores.flatMap((store, position) =>
      Array.from({ length: times }, (_, time) => work(store, `${position}.${time}`)),
    ),
  );
}

/** Lets others go first, for as long as the schedule says. */
async function pause(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const winners: readonly Case[] = [
  {
    title: "N concurrent increments add up to N, and no two of them give the same number",
    async run(context) {
      const sums = await everyone(strangers(context, 4), 50, (store) => store.increment("n"));
      assert.equal(await context.store.get("n"), 200);
      assert.deepEqual(new Set(sums), new Set(Array.from({ length: 200 }, (_, position) => position + 1)));
    },
  },
  {
    title: "of N concurrent creates exactly one wins, and its value stays",
    async run(context) {
      for (let round = 0; round < 10; round++) {
        const revisions = await everyone(strangers(context, 3), 5, async (store, id) => [
          id,
          await store.create(`k${round}`, id),
        ]);
        const won = revisions.filter((result) => (result as [string, unknown])[1] !== undefined) as [
          string,
          string,
        ][];
        assert.equal(won.length, 1);
        assert.equal(await context.store.get(`k${round}`), won[0]?.[0]);
        assert.equal((await context.store.getMetadata(`k${round}`))?.revision, won[0]?.[1]);
      }
    },
  },
  {
    title: "of N concurrent takes exactly one gets the value",
    async run(context) {
      for (let round = 0; round < 10; round++) {
        await context.store.set("k", round);
        const taken = await everyone(strangers(context, 3), 5, (store) => store.take("k"));
        assert.deepEqual(
          taken.filter((value) => value !== undefined),
          [round],
        );
      }
    },
  },
  {
    title: "of N concurrent deletes exactly one finds the key",
    async run(context) {
      for (let round = 0; round < 10; round++) {
        await context.store.set("k", round);
        const found = await everyone(strangers(context, 3), 5, (store) => store.delete("k"));
        assert.equal(found.filter((existed) => existed === true).length, 1);
      }
    },
  },
  {
    title: "of N concurrent replaces of one revision exactly one wins",
    async run(context) {
      let revision = await context.store.set("k", "start");
      for (let round = 0; round < 10; round++) {
        const results = await everyone(strangers(context, 3), 5, (store, id) =>
          store.replace("k", id, { revision }),
        );
        const won = results.filter((result) => typeof result === "string");
        assert.equal(won.length, 1);
        revision = String(won[0]);
        assert.equal((await context.store.getMetadata("k"))?.revision, revision);
      }
    },
  },
  {
    title: "of N concurrent commits that check absence exactly one writes, and writes everything",
    async run(context) {
      const results = await everyone(strangers(context, 3), 5, async (store, id) => {
        const { ok } = await store
          .atomic()
          .check("lock", null)
          .set("lock", id)
          .set("owner", id)
          .increment("held")
          .commit();
        return ok ? id : undefined;
      });
      const won = results.filter((id) => id !== undefined);
      assert.equal(won.length, 1);
      assert.deepEqual(await context.store.getMany(["lock", "owner", "held"]), [won[0], won[0], 1]);
    },
  },
];

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

type Action = "get" | "set" | "create" | "replace" | "delete";

interface Step {
  readonly client: number;
  readonly action: Action;
  readonly turns: number;
}

const anySchedule: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    client: fc.nat(3),
    action: fc.constantFrom<Action>("get", "get", "set", "create", "replace", "delete"),
    turns: fc.nat(2),
  }),
  { minLength: 10, maxLength: 40 },
);

/** Each client does its steps one after the other; the clients go side by side. */
async function follow(schedule: readonly Step[], stores: readonly Store[], history: History): Promise<void> {
  let value = 0;
  let revision = "none yet";
  await Promise.all(
    stores.map(async (store, client) => {
      for (const { action, turns } of schedule.filter((step) => step.client === client)) {
        await pause(turns);
        value += 1;
        if (action === "get") await history.get(store);
        else if (action === "set") revision = await history.set(store, value);
        else if (action === "create") revision = (await history.create(store, value)) ?? revision;
        else if (action === "replace") revision = (await history.replace(store, value, revision)) ?? revision;
        else await history.delete(store);
      }
    }),
  );
}

const histories: readonly Case[] = [
  {
    title:
      "recorded histories of one key are linearizable: get, set, create, replace and delete by four clients",
    requires: ({ capabilities }) => (capabilities.linearizable ? undefined : "it is not linearizable"),
    async run(context) {
      const stores = strangers(context, 4);
      let round = 0;
      await fc.assert(
        fc.asyncProperty(anySchedule, async (schedule) => {
          round += 1;
          const history = new History(`key ${round}`);
          await follow(schedule, stores, history);
          history.assertLinearizable();
        }),
        runs(30),
      );
    },
  },
  {
    title: "recorded histories of a counter are linearizable: get, increment and delete by four clients",
    requires: ({ capabilities }) => (capabilities.linearizable ? undefined : "it is not linearizable"),
    async run(context) {
      const stores = strangers(context, 4);
      const history = new History("n");
      await Promise.all(
        stores.map(async (store, client) => {
          for (let round = 0; round < 12; round++) {
            await pause((client + round) % 3);
            if (round % 5 === 4) await history.delete(store);
            else if (round % 3 === 2) await history.get(store);
            else await history.increment(store, client + 1);
          }
        }),
      );
      history.assertLinearizable();
    },
  },
];

export const concurrency: Chapter = {
  title: "concurrency",
  cases: [...winners, ...contention, ...histories],
};
