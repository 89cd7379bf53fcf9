import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { arangodb } from "@kv/arangodb";
import type { Harness } from "@kv/conformance/run";
import { Database } from "arangojs";
import { describe, test } from "vitest";
import { codecs } from "../../suites/suite-views.ts";

/** Whether this run does all there is. */
export const full: boolean = process.env["KV_TEST_FULL"] === "1";

// The suite reads this when it is loaded: each property is tried as often as by `npm test`. More often, over the network,
// in several languages and views, would take long.
process.env["KV_TEST_THOROUGHNESS"] ??= "1";
const { describeConformance } = await import("@kv/conformance");
const { CHAPTERS, judge, plan } = await import("@kv/conformance/run");

/** Watchers receive changes within two polls. */
const WATCH_INTERVAL = 20;
/** Milliseconds that a case may take: the longest has thousands of requests, which a busy machine answers slowly. */
const CASE_MS = 100_000;

/** The contract on an ArangoDB, or on what says it is one. Every case has collections of its own. */
export function describeArangodb(name: string, url: string): void {
  describeConformance(harnessOf(name, url));
}

/** The same, but only in some of the views (`""`: the store itself): for runs that everybody waits for. */
export function describeArangodbBriefly(name: string, url: string, views: readonly string[]): void {
  const harness = harnessOf(name, url);
  const planned = plan(harness).filter(({ variant }) => views.includes(variant.title));
  for (const variant of new Set(planned.map((one) => one.variant))) {
    describe(`${name} ${variant.title}`.trim(), () => {
      for (const chapter of CHAPTERS) {
        describe(chapter.title, () => {
          for (const one of planned.filter((each) => each.variant === variant && each.chapter === chapter)) {
            test(one.case.title, { timeout: CASE_MS + 20_000 }, async (context) => {
              const verdict = await judge(harness, one, { timeout: CASE_MS });
              if (verdict.status === "skipped") context.skip(verdict.reason);
              if (verdict.status === "failed") throw verdict.error;
            });
          }
        });
      }
    });
  }
}

function harnessOf(name: string, url: string): Harness {
  const { origin, pathname, username, password } = new URL(url);
  const database = new Database({
    url: origin,
    databaseName: pathname.slice(1),
    auth: { username: decodeURIComponent(username) || "root", password: decodeURIComponent(password) },
    poolSize: 8,
  });
  return {
    name,
    codecs,
    async create() {
      const collection = `conformance-${randomUUID()}`;
      const open = () => arangodb({ url, collection, watchInterval: WATCH_INTERVAL });
      // Making collections and indexes takes time, which must not count for a case that measures time.
      const first = open();
      await first.open();
      await first.close();
      const names = [collection, `${collection}_changes`, `${collection}_system`];
      return {
        adapter: open(),
        reopen: open,
        async dispose() {
          await Promise.allSettled(names.map((each) => database.collection(each).drop()));
        },
      };
    },
    // Some looks later; and what is asked behind them has been answered, too, however busy everybody is.
    async settle() {
      await sleep(5 * WATCH_INTERVAL);
      for (let asked = 0; asked < 3; asked++) await database.version();
    },
  };
}
