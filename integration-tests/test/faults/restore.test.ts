import { setTimeout as sleep } from "node:timers/promises";
import { createStore, KvError, type Store } from "@kv/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { scratchDirectory } from "../processes/child.ts";
import { PLACES, type Place } from "./restorable.ts";

/** What is remembered of the future that a restore undoes. */
interface Lost {
  readonly revisions: ReadonlySet<string>;
  readonly ofK: string;
  readonly ofNew: string;
  readonly cursor: string;
  /** What the watch yielded, and the code that it ended with. */
  readonly told: string[];
}

/** What a write may be answered with while the data lie elsewhere. */
const EXPECTED: ReadonlySet<string> = new Set(["acknowledged", "KV_UNAVAILABLE", "KV_CORRUPT", "KV_TIMEOUT"]);
const KEYS = ["k", "l", "m", "n", "o"];

function openedAt(place: Place): Store {
  const store = createStore(place.open(), { sweepInterval: "200ms" });
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}

/** Past the backup: what other users of the store remember. */
async function live(store: Store, revisions: Set<string>): Promise<Lost> {
  const told: string[] = [];
  const watching = store.watch();
  void (async () => {
    for await (const { type } of watching) told.push(type);
  })().catch((error: unknown) => told.push(KvError.is(error) ? error.code : String(error)));
  await store.subscribe(() => undefined);
  const ofK = await store.set("k", "lost");
  await store.delete("l");
  const ofNew = await store.set("new", "lost");
  for (let i = 0; i < 30; i++) revisions.add(await store.set(`new:${i}`, i));
  revisions.add(ofK).add(ofNew);
  const { cursor } = await store.page({ limit: 3 });
  return { revisions, ofK, ofNew, cursor: cursor ?? "", told };
}

async function expectRestored(store: Store, lost: Lost, kept: string): Promise<void> {
  expect(await store.get("k")).toBe("before");
  expect(await store.get("l")).toBe("before");
  expect(await store.has("new")).toBe(false);
  expect(await store.namespace("sub").get("k")).toBe("before");
  expect(await store.count()).toBe(KEYS.length);
  expect((await store.getMetadata("m"))?.expiresAt?.getTime()).toBeGreaterThan(Date.now());

  expect(await store.replace("k", "wrong", { revision: lost.ofK })).toBeUndefined();
  expect(await store.delete("k", { revision: lost.ofK })).toBe(false);
  expect(await store.atomic().check("k", lost.ofK).set("k", "wrong").commit()).toMatchObject({ ok: false });
  expect(await store.replace("new", "wrong", { revision: lost.ofNew })).toBeUndefined();
  expect(await store.get("k")).toBe("before");

  // A cursor is a place among the keys.
  const page = await store.page({ cursor: lost.cursor }).catch((error: unknown) => error);
  if (KvError.is(page)) expect(page.code).toBe("KV_INVALID_OPTION");
  else expect((page as { entries: { key: string }[] }).entries.map(({ key }) => key)).toEqual(["o"]);

  const given = [await store.set("new", "after")];
  expect(await store.replace("new", "wrong", { revision: lost.ofNew })).toBeUndefined();
  for (let i = 0; i < 30; i++) given.push(await store.set(`new:${i}`, "after"));
  expect(given.filter((revision) => lost.revisions.has(revision))).toEqual([]);
  expect(new Set(given).size).toBe(given.length);

  // Revisions from before the backup are still valid.
  expect(await store.replace("k", "after", { revision: kept })).toBeDefined();
  expect(await store.get("k")).toBe("after");
}

describe.each(Object.entries(PLACES))(
  "%s, restored from a backup that was made while it was in use",
  (_, make) => {
    it("is as it was then, and what is remembered of later matches nothing", async (ctx) => {
      const place = await make(scratchDirectory(onTestFinished));
      if (typeof place === "string") return ctx.skip(place);
      onTestFinished(() => place.dispose?.());
      const store = openedAt(place);
      let kept = "";
      for (const key of KEYS) kept = await store.set(key, "before", key === "m" ? { ttl: "1h" } : {});
      kept = await store.set("k", "before");
      await store.namespace("sub").set("k", "before");
      await place.backup();
      const lost = await live(store, new Set());

      if (place.clientsGoOn !== true) await store.close();
      const before = lost.told.length;
      await place.restore();
      if (place.clientsGoOn !== true) return expectRestored(openedAt(place), lost, kept);

      await expect.poll(() => store.has("k").catch(() => false), { timeout: 20_000 }).toBe(true);
      await expect.poll(() => lost.told.slice(before), { timeout: 20_000 }).toContain("resync");
      await expectRestored(store, lost, kept);
    }, 60_000);

    it("under a store that is open is told to it, and nothing is acknowledged from then on", async (ctx) => {
      const place = await make(scratchDirectory(onTestFinished));
      if (typeof place === "string") return ctx.skip(place);
      onTestFinished(() => place.dispose?.());
      const store = openedAt(place);
      for (const key of KEYS) await store.set(key, "before");
      await store.namespace("sub").set("k", "before");
      await place.backup();
      const lost = await live(store, new Set());
      const before = lost.told.length;
      await place.restore();

      // An embedded database looks at its files a hundred times a second; a server is away while it starts.
      const answers: string[] = [];
      for (let i = 0; i < 15; i++) {
        const answer = store.set(`probe:${i}`, i).then(
          () => "acknowledged",
          (error: unknown) => (KvError.is(error) ? error.code : String(error)),
        );
        answers.push(await answer);
        await sleep(20);
      }
      expect(answers.filter((answer) => !EXPECTED.has(answer))).toEqual([]);
      if (place.clientsGoOn === true) expect(answers.at(-1)).toBe("acknowledged");
      else {
        const first = answers.findIndex((answer) => answer !== "acknowledged");
        expect(first, answers.join(" ")).toBeGreaterThanOrEqual(0);
        expect(first, "within 100 ms").toBeLessThanOrEqual(5);
        expect(answers.slice(first), "and from then on").not.toContain("acknowledged");
      }
      const watched = lost.told.slice(before);
      expect(
        watched.some((what) => what === "resync" || EXPECTED.has(what)),
        watched.join(" "),
      ).toBe(true);
      await store.close().catch(() => undefined);
      const again = openedAt(place);
      expect(await again.get("k")).toBe("before");
      expect(await again.has("new")).toBe(false);
    }, 60_000);
  },
);
