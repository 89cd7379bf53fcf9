import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Figure } from "../report/result.ts";
import { ratio } from "../report/statistics.ts";
import type { Contender } from "../workload/contender.ts";
import { SMALL } from "../workload/data.ts";
import { interleave, type Lane, type Plan } from "./rounds.ts";

const HOUR = 3_600_000;

/** The time that a TTL adds to a set, in per cent. Both lanes write the same number of keys into the same store. */
export async function measureTtlCost(contender: Contender, folder: string, plan: Plan): Promise<Figure> {
  const inner = join(folder, "ttl");
  mkdirSync(inner);
  const subject = await contender.open(inner);
  const lane = (name: string, write: (key: string, step: number) => unknown): Lane => {
    const keys = SMALL.keys.map((key) => `${name}:${key}`);
    return {
      name,
      async run(from, to) {
        for (let step = from; step < to; step++) await write(keys[step % keys.length]!, step);
      },
    };
  };
  const valueAt = (step: number) => SMALL.values[step % SMALL.values.length]!;
  const rates = await interleave(
    [
      lane("without", (key, step) => subject.set(key, valueAt(step))),
      lane("with", (key, step) => subject.setExpiring?.(key, valueAt(step), HOUR)),
    ],
    plan,
  );
  await subject.close();
  const [without, expiring] = [rates.get("without"), rates.get("with")];
  if (!Array.isArray(without) || !Array.isArray(expiring))
    throw without instanceof Error ? without : expiring;
  return {
    name: "ttlCost",
    contender: contender.name,
    value: Math.round((ratio(without, expiring)! - 1) * 1000) / 10,
  };
}
