import fc from "fast-check";
import { Model } from "../model/model.ts";
import { anyCommands, type Real } from "../model/model-commands.ts";
import { atomically } from "../suite/abilities.ts";
import type { Chapter } from "../suite/chapter.ts";
import { inTime, runs } from "../suite/property.ts";

export const modelBased: Chapter = {
  title: "model",
  cases: [
    {
      title: "any sequence of operations gives what a plain sorted map with revisions and deadlines gives",
      requires: atomically,
      async run({ store, time, abilities }) {
        // A failure is shrunk to its shortest sequence and reported with the seed that repeats it.
        await fc.assert(
          fc.asyncProperty(
            anyCommands(abilities.clock),
            inTime(async (commands) => {
              await store.clear();
              const real: Real = { store, time, revisions: new Map() };
              await fc.asyncModelRun(() => ({ model: new Model(), real }), commands);
            }),
          ),
          runs(80),
        );
      },
    },
  ],
};
