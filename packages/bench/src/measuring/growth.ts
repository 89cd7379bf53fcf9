import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Figure } from "../report/result.ts";
import { median, ratio } from "../report/statistics.ts";
import type { Contender } from "../workload/contender.ts";
import { batches, keysOf, MANY, prefixesOf, shuffled } from "../workload/data.ts";
import { interleave, type Plan } from "./rounds.ts";

/** How many times as long a range of 1,000 takes in a large store as in a small one. */
export async function measureGrowth(
  contender: Contender,
  folder: string,
  {
    sizes,
    order,
    plan,
  }: { sizes: readonly [small: number, large: number]; order: "sorted" | "scattered"; plan: Plan },
): Promise<Figure> {
  const stores = await Promise.all(
    sizes.map(async (entries) => {
      const inner = join(folder, `${order}-${entries}`);
      mkdirSync(inner);
      const subject = await contender.open(inner);
      const prefixes = prefixesOf(entries);
      const keys = prefixes.flatMap((prefix) => keysOf(prefix, MANY));
      for (const batch of batches(order === "sorted" ? keys : shuffled(keys))) await subject.setMany(batch);
      const turns = shuffled(prefixes);
      const run = async (from: number, to: number): Promise<void> => {
        for (let step = from; step < to; step++) await subject.scan?.(turns[step % turns.length]!);
      };
      return { lane: { name: String(entries), run }, subject };
    }),
  );
  const rates = await interleave(
    stores.map(({ lane }) => lane),
    plan,
  );
  for (const { subject } of stores) await subject.close();
  const [small, large] = sizes.map((entries) => rates.get(String(entries)));
  if (!Array.isArray(small) || !Array.isArray(large)) throw small instanceof Error ? small : large;
  return {
    name: order === "sorted" ? "growth" : "growthScattered",
    contender: contender.name,
    value: Math.round(ratio(small, large)! * 100) / 100,
    detail: `${sizes.map((entries) => entries.toLocaleString("en")).join(" and ")} entries; ${Math.round(median(large)!)} ranges/s in the large one`,
  };
}
