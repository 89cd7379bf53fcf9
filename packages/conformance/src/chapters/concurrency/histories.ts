import type { Store } from "@kv/core";
import fc from "fast-check";
import { pause, strangers } from "../../assertions/strangers.ts";
import { History } from "../../model/history.ts";
import type { Case } from "../../suite/chapter.ts";
import { inTime, runs } from "../../suite/property.ts";

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
  { minLength: 10, maxLength: 40, size: "max" },
);

/** Each client runs its steps one after another; the clients run concurrently. */
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

/** What several clients saw of one key must be explained by some order. */
export const histories: readonly Case[] = [
  {
    title:
      "recorded histories of one key are linearizable: get, set, create, replace and delete by four clients",
    requires: ({ capabilities }) => (capabilities.linearizable ? undefined : "it is not linearizable"),
    async run(context) {
      const stores = strangers(context, 4);
      let round = 0;
      await fc.assert(
        fc.asyncProperty(
          anySchedule,
          inTime(async (schedule) => {
            round += 1;
            const history = new History(`key ${round}`);
            await follow(schedule, stores, history);
            history.assertLinearizable();
          }),
        ),
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
