import { mkdirSync } from "node:fs";
import type { Manifest } from "./manifests.ts";
import { timeText } from "./screen/answer-text.ts";
import { answers as answersOf } from "./screen/answers.ts";
import { compared, type Visit } from "./screen/comparison.ts";
import { painter } from "./screen/paint.ts";
import { type Output, ProgressBar } from "./screen/progress-bar.ts";
import { inspection, introduction, outlook, verdict } from "./screen/prose.ts";
import { times } from "./screen/times.ts";
import { sqliteFile, stops } from "./stops.ts";
import { visit } from "./visit.ts";

export interface Demonstration {
  /** The data to store. */
  readonly manifests: readonly Manifest[];
  /** The directory of the stores' files, which stay there until the next run. */
  readonly directory: string;
  /** A Redis that the tour may write to, under a prefix of its own; `undefined`: there is none. */
  readonly redisUrl?: string | undefined;
  readonly out: Output;
}

/** Takes the tour through every store and prints the answers side by side. Returns whether they are the same. */
export async function demonstrate({ manifests, directory, redisUrl, out }: Demonstration): Promise<boolean> {
  const paint = painter(out);
  const print = (...lines: string[]): void => void out.write(`${lines.join("\n")}\n`);
  const all = stops(directory, redisUrl);

  mkdirSync(directory, { recursive: true });
  // A server that cannot be used is reported at once, not after all other stores have answered.
  for (const { forget } of all) await forget();
  print("", ...introduction(manifests.length, all, paint), "");

  const visits: Visit[] = [];
  for (const { title, config, forget, leave } of all) {
    const bar = new ProgressBar(out, paint, title);
    // Twice: the first time Node is still compiling, so its times say little about the store.
    for (const part of [0, 0.5]) {
      if (part > 0) await forget();
      const answers = await visit(config, manifests, (done, total) =>
        bar.update(part + done / total / 2),
      ).finally(leave);
      if (part > 0) visits.push({ title, answers });
    }
    const given = visits.at(-1)?.answers ?? [];
    const time = given.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    bar.end(`${given.length} questions answered in ${timeText(time)}`);
  }

  const comparisons = compared(visits);
  const different = comparisons.filter(({ same }) => !same).length;
  // Wider lines than 120 are hard to follow, and narrower ones than 72 leave no room for answers.
  const width = Math.min(120, Math.max(72, out.columns ?? 80));
  const titles = visits.map(({ title }) => title);
  print(
    "",
    ...answersOf(comparisons, titles, width, paint),
    ...times(comparisons, titles, width, paint),
    "",
    ...verdict(comparisons.length, different, all.length, paint),
    "",
    ...inspection(sqliteFile(directory), paint),
    "",
    ...outlook(redisUrl !== undefined, paint),
    "",
  );
  return comparisons.length > 0 && different === 0;
}
