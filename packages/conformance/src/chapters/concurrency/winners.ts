import assert from "node:assert/strict";
import { everyone, strangers } from "../../assertions/strangers.ts";
import { atomically } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";

/** If many callers compete, exactly one wins. */
export const winners: readonly Case[] = [
  {
    title: "N concurrent increments add up to N, and no two of them give the same number",
    async run(context) {
      // Few enough for a codec whose numbers are counted here, one attempt after the other, on a busy machine.
      const sums = await everyone(strangers(context, 4), 25, (store) => store.increment("n"));
      assert.equal(await context.store.get("n"), 100);
      assert.deepEqual(new Set(sums), new Set(Array.from({ length: 100 }, (_, position) => position + 1)));
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
    requires: atomically,
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
