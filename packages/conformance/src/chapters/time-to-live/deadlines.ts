import assert from "node:assert/strict";
import type { Duration, SetOptions, Store } from "@kv/core";
import { contents } from "../../assertions/contents.ts";
import { aClock } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const FORMS: readonly (readonly [ttl: Duration, milliseconds: number])[] = [
  [90, 90 * SECOND],
  [1.5, 1500],
  [0.25, 250],
  [3_000_000, 3_000_000 * SECOND],
  ["250ms", 250],
  ["90s", 90 * SECOND],
  ["1.5s", 1500],
  ["5m", 5 * MINUTE],
  ["24h", DAY],
  ["7d", 7 * DAY],
  ["2w", 14 * DAY],
  [{ hours: 2, minutes: 30 }, 2 * HOUR + 30 * MINUTE],
  [{ weeks: 1, days: 1, seconds: 1, milliseconds: 5 }, 8 * DAY + SECOND + 5],
  [{ days: 1, hours: undefined }, DAY],
];

const NO_TTL: unknown[] = [
  0,
  -1,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  true,
  false,
  "60",
  "",
  "s",
  "5 m",
  "5M",
  "-5m",
  "1e3s",
  "five minutes",
  "5mo",
  "0s",
  "0m",
  {},
  { hours: 0 },
  { hours: -1, days: 1 },
  { hour: 1 },
  { hours: "1" },
  { minutes: Number.NaN },
  { days: Number.POSITIVE_INFINITY },
  [],
  [5],
  5n,
  () => 5,
  new Date(),
];

/** Asserts a deadline: to the millisecond if time stands still, else within a second. */
async function assertDeadline(store: Store, key: string, expected: number, exact: boolean): Promise<void> {
  const deadline = (await store.getMetadata(key))?.expiresAt;
  assert.ok(deadline instanceof Date, `${key} has no deadline`);
  const off = Math.abs(deadline.getTime() - expected);
  assert.ok(off <= (exact ? 0 : SECOND), `${key}: off by ${off} ms`);
}

/** Every way to give a new entry a TTL. */
const GIVERS: Readonly<
  Record<
    string,
    (store: Store, key: string, options: Pick<SetOptions, "ttl" | "expiresAt">) => Promise<unknown>
  >
> = {
  set: (store, key, options) => store.set(key, 1, options),
  setMany: (store, key, options) => store.setMany([[key, 1]], options),
  "setMany, by entry": (store, key, options) => store.setMany([[key, 1, options]]),
  setCache: (store, key, options) => store.setCache(key, 1, options),
  create: (store, key, options) => store.create(key, 1, options),
  update: (store, key, options) => store.update(key, () => 1, options),
  increment: (store, key, options) => store.increment(key, 1, options),
  "atomic set": (store, key, options) => store.atomic().set(key, 1, options).commit(),
  "atomic increment": (store, key, options) => store.atomic().increment(key, 1, options).commit(),
  "transaction set": (store, key, options) => store.transaction((tx) => tx.set(key, 1, options)),
  "transaction increment": (store, key, options) => store.transaction((tx) => tx.increment(key, 1, options)),
};

const forms: readonly Case[] = [
  {
    title: "a ttl is seconds, a text with a unit, or parts, and the deadline is absolute to the millisecond",
    async run({ store, adapter, abilities }) {
      for (const [position, [ttl, milliseconds]] of FORMS.entries()) {
        const now = adapter.clock();
        await store.set(`k${position}`, 1, { ttl });
        await assertDeadline(store, `k${position}`, now + milliseconds, abilities.clock);
      }
    },
  },
  {
    title: "expiresAt is the deadline itself, as a Date or in milliseconds",
    async run({ store, adapter }) {
      const deadline = adapter.clock() + HOUR + 7;
      await store.set("date", 1, { expiresAt: new Date(deadline) });
      await store.set("number", 1, { expiresAt: deadline });
      await assertDeadline(store, "date", deadline, true);
      await assertDeadline(store, "number", deadline, true);
    },
  },
  {
    title: "an expiresAt in the past, or now, leaves the key absent",
    async run({ store, adapter }) {
      for (const [name, give] of Object.entries(GIVERS)) {
        if (name.includes("increment")) continue;
        await give(store, "fresh", { expiresAt: adapter.clock() - 1 });
        assert.equal(await store.has("fresh"), false, name);
        await store.set("k", "old", { policy: "evict" });
        await store.set("k", "gone", { expiresAt: new Date(0) });
        assert.equal(await store.get("k"), undefined, name);
      }
      await store.set("now", 1, { expiresAt: adapter.clock() });
      assert.equal(await store.has("now"), false);
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "every way to write takes a ttl and an expiresAt",
    async run({ store, adapter, abilities }) {
      for (const [name, give] of Object.entries(GIVERS)) {
        const now = adapter.clock();
        await give(store, `${name} ttl`, { ttl: "2h" });
        await assertDeadline(store, `${name} ttl`, now + 2 * HOUR, abilities.clock);
        await give(store, `${name} expiresAt`, { expiresAt: now + HOUR });
        await assertDeadline(store, `${name} expiresAt`, now + HOUR, true);
      }
    },
  },
  {
    title: "what is no duration is KV_INVALID_TTL in every way to write, nothing written",
    async run({ store, refused }) {
      for (const [name, give] of Object.entries(GIVERS)) {
        for (const ttl of NO_TTL) {
          await refused(
            "KV_INVALID_TTL",
            () => give(store, "k", { ttl: ttl as Duration }),
            /^setMany$|^transaction/.test(name) ? {} : { key: "k" },
          );
        }
        await refused("KV_INVALID_TTL", () => give(store, "k", { ttl: "60" as never }), { says: "60" });
      }
      assert.equal(await store.has("k"), false);
    },
  },
  {
    title: "what is no moment is KV_INVALID_TTL as expiresAt",
    async run({ store, refused }) {
      for (const expiresAt of [
        Number.NaN,
        Number.POSITIVE_INFINITY,
        new Date(Number.NaN),
        "2030-01-01",
        null,
        true,
        {},
        1e300,
      ]) {
        await refused("KV_INVALID_TTL", () => store.set("k", 1, { expiresAt: expiresAt as never }), {
          operation: "set",
          key: "k",
        });
      }
      assert.equal(await store.has("k"), false);
    },
  },
  {
    title: "a deadline further away than 24.8 days is kept as it is, and not reached early",
    async run({ store, adapter, abilities, time }) {
      const now = adapter.clock();
      await store.set("month", 1, { ttl: "30d" });
      await store.set("decade", 1, { ttl: { days: 3650 } });
      await store.set("far", 1, { expiresAt: new Date("9999-12-31T23:59:59.999Z") });
      await assertDeadline(store, "month", now + 30 * DAY, abilities.clock);
      await assertDeadline(store, "far", Date.parse("9999-12-31T23:59:59.999Z"), true);
      if (!abilities.clock) return;
      await time.pass((29 * DAY) / SECOND);
      await store.sweep();
      assert.equal(await store.count(), 3);
      await time.pass(DAY / SECOND);
      assert.deepEqual(await store.getMany(["month", "decade"]), [undefined, 1]);
    },
  },
];

const keeping: readonly Case[] = [
  {
    title: "a set without a ttl clears an earlier one, and keepTtl keeps it",
    async run({ store, adapter }) {
      const deadline = adapter.clock() + HOUR;
      await store.set("k", 1, { expiresAt: deadline });
      await store.set("k", 2, { keepTtl: true });
      await assertDeadline(store, "k", deadline, true);
      await store.set("k", 3, { keepTtl: false });
      assert.equal((await store.getMetadata("k"))?.expiresAt, undefined);
      await store.set("k", 4, { keepTtl: true });
      assert.equal((await store.getMetadata("k"))?.expiresAt, undefined);
    },
  },
  {
    title: "keepTtl keeps the deadline in every write that has it",
    async run({ store, adapter }) {
      const deadline = adapter.clock() + HOUR;
      const keepTtl = true;
      await store.set("k", 1, { expiresAt: deadline });
      await store.setMany([["k", 2]], { keepTtl });
      await assertDeadline(store, "k", deadline, true);
      await store.setMany([["k", 3, { keepTtl }]]);
      await assertDeadline(store, "k", deadline, true);
      await store.setCache("k", 4, { keepTtl });
      await assertDeadline(store, "k", deadline, true);
      await store.replace("k", 5, { revision: (await store.getMetadata("k"))?.revision ?? "", keepTtl });
      await assertDeadline(store, "k", deadline, true);
      await store.atomic().set("k", 6, { keepTtl }).commit();
      await assertDeadline(store, "k", deadline, true);
      await store.transaction((tx) => tx.set("k", 7, { keepTtl }));
      await assertDeadline(store, "k", deadline, true);
      assert.equal(await store.get("k"), 7);
    },
  },
  {
    title: "keepTtl keeps nothing of an entry that has expired",
    async run({ store, time }) {
      await store.set("k", 1, { ttl: time.short });
      await time.pass(time.short);
      await store.set("k", 2, { keepTtl: true });
      assert.equal(await store.get("k"), 2);
      assert.equal((await store.getMetadata("k"))?.expiresAt, undefined);
    },
  },
  {
    title: "defaultTtl is for every write that says nothing else, and null means never",
    async run({ open, adapter, abilities }) {
      const { store } = open({ defaultTtl: "1h" });
      const now = adapter.clock();
      await store.set("default", 1);
      await store.setMany([["many", 1]]);
      await store.create("created", 1);
      await store.increment("counted");
      await store.atomic().set("atomic", 1).commit();
      await store.scope("s").set("scoped", 1);
      for (const key of ["default", "many", "created", "counted", "atomic", "s:scoped"]) {
        await assertDeadline(store, key, now + HOUR, abilities.clock);
      }
      await store.set("own", 1, { ttl: "2h" });
      await assertDeadline(store, "own", now + 2 * HOUR, abilities.clock);
      for (const never of [{ ttl: null }]) {
        await store.set("default", 2, never);
        assert.equal((await store.getMetadata("default"))?.expiresAt, undefined);
      }
      await store.set("default", 3);
      await assertDeadline(store, "default", now + HOUR, abilities.clock);
      await store.updateTtl("default", null);
      assert.equal((await store.getMetadata("default"))?.expiresAt, undefined);
    },
  },
  {
    title: "keepTtl goes over defaultTtl",
    async run({ open, adapter }) {
      const { store } = open({ defaultTtl: "1h" });
      const deadline = adapter.clock() + 3 * HOUR;
      await store.set("k", 1, { expiresAt: deadline });
      await store.set("k", 2, { keepTtl: true });
      await assertDeadline(store, "k", deadline, true);
    },
  },
  {
    title: "increment keeps an existing TTL",
    requires: aClock,
    async run({ store, adapter, time }) {
      const deadline = adapter.clock() + time.short * SECOND * 2;
      await store.set("n", 1, { expiresAt: deadline });
      await time.pass(time.short);
      assert.equal(await store.increment("n"), 2);
      await store.atomic().increment("n").commit();
      await assertDeadline(store, "n", deadline, true);
      await time.pass(time.short);
      assert.equal(await store.increment("n"), 1);
    },
  },
];

export const deadlines: readonly Case[] = [...forms, ...keeping];
