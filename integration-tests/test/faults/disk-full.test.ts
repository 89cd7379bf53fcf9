import { createHash } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStore, KvError, type Store } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it } from "vitest";
import { PERSISTENT, persistentAdapter } from "../../workers/faults/persistent-adapter.ts";
import { smallDisk } from "./small-disk.ts";

const DISK_MB = 32;
/** What the ballast leaves free: enough for several of LevelDB's tables, or for less than its first log. */
const ROOM_MB = { fast: 14, full: 3 };
const VALUE_SIZE = 10_000;
const MOST_TICKS = 2_000;

/** Follows from its key, and cannot be compressed. */
function valueUnder(key: string): string {
  return createHash("shake256", { outputLength: (VALUE_SIZE * 3) / 4 })
    .update(key)
    .digest("base64");
}

/** What was acknowledged, and the error that ended it. */
interface Filled {
  readonly acknowledged: string[];
  readonly error: KvError;
}

/** Writes until something is refused: single writes and a commit a tick. */
async function fill(store: Store): Promise<Filled> {
  const acknowledged: string[] = [];
  for (let tick = 0; tick < MOST_TICKS; tick++) {
    const keys = [0, 1, 2, 3].map((i) => `${tick}:${i}`);
    const together = [`${tick}:a`, `${tick}:b`];
    const atomic = store.atomic();
    for (const key of together) atomic.set(key, valueUnder(key));
    const results = await Promise.allSettled([
      ...keys.map((key) => store.set(key, valueUnder(key)).then(() => acknowledged.push(key))),
      atomic.commit().then(() => acknowledged.push(...together)),
    ]);
    const failed = results.find((result) => result.status === "rejected");
    if (failed === undefined) continue;
    if (!KvError.is(failed.reason)) throw failed.reason;
    return { acknowledged, error: failed.reason };
  }
  throw new Error("the disk is larger than it should be");
}

async function expectAll(store: Store, keys: readonly string[], when: string): Promise<void> {
  for (const key of keys) {
    if ((await store.get(key)) !== valueUnder(key)) expect.fail(`${key} is lost or altered ${when}`);
  }
}

/** The code of what a write now ends with; `"ok"`: it is acknowledged. */
function attempt(write: Promise<unknown>): Promise<string> {
  return write.then(
    () => "ok",
    (error: unknown) => (KvError.is(error) ? error.code : String(error)),
  );
}

describe("a full disk", () => {
  for (const name of PERSISTENT) {
    for (const durability of ["fast", "full"] as const) {
      it(`is told to the callers of ${name} (${durability}), who lose nothing acknowledged and go on when there is space`, async (ctx) => {
        const disk = smallDisk(DISK_MB, ctx.onTestFinished);
        if (typeof disk === "string") return ctx.skip(disk);
        const ballast = join(disk.path, "ballast");
        writeFileSync(ballast, new Uint8Array((DISK_MB - ROOM_MB[durability]) * 2 ** 20));
        const open = async () =>
          createStore(await persistentAdapter(name, disk.path, { durability }), { sweepInterval: null });
        const store = await open();
        ctx.onTestFinished(() => store.close());
        const { acknowledged, error } = await fill(store);
        expect(error.code).toBe("KV_CAPACITY");
        expect(error.message).toMatch(/free/);
        await expectAll(store, acknowledged, "while the disk is full");
        const again = await attempt(store.set("large", valueUnder("large").repeat(100)));
        expect(again, "another write").toBe("KV_CAPACITY");
        await expectAll(store, acknowledged, "after further attempts");

        rmSync(ballast);
        expect(await attempt(store.set("after", valueUnder("after"))), "a write when there is space").toBe(
          "ok",
        );
        expect(await store.increment("counter")).toBe(1);
        await expectAll(store, [...acknowledged, "after"], "when there is space again");
        await store.close();
        await using reopened = await open();
        await expectAll(reopened, [...acknowledged, "after"], "after reopening");
        expect(await reopened.get("counter")).toBe(1);
        await expectWholeCommits(reopened);
        console.log(
          `${name} ${durability}, disk full after ${acknowledged.length} acknowledged writes of ${VALUE_SIZE} bytes: ` +
            `"${error.message}"; reads went on; with space the same store wrote again; 0 lost after reopening`,
        );
      }, 60_000);
    }

    it(`is told to who opens ${name} on it, and what is there can be read as soon as there is space`, async (ctx) => {
      const disk = smallDisk(DISK_MB, ctx.onTestFinished);
      if (typeof disk === "string") return ctx.skip(disk);
      const ballast = join(disk.path, "ballast");
      writeFileSync(ballast, new Uint8Array((DISK_MB - ROOM_MB.fast) * 2 ** 20));
      const open = async () => createStore(await persistentAdapter(name, disk.path), { sweepInterval: null });
      const full = await open();
      const { acknowledged } = await fill(full);
      await full.close();
      fillTheRest(join(disk.path, "rest"));
      const cramped = await open();
      const seen = await attempt(cramped.get(acknowledged[0] ?? ""));
      expect(["ok", "KV_CAPACITY"]).toContain(seen);
      if (seen === "ok") await expectAll(cramped, acknowledged, "on a full disk");
      rmSync(ballast);
      rmSync(join(disk.path, "rest"));
      await expectAll(cramped, acknowledged, "when there is space again");
      expect(await attempt(cramped.set("after", valueUnder("after")))).toBe("ok");
      await cramped.close();
      console.log(
        `${name}, opened on a full disk: the first read was ${seen}; with space the same store read and wrote`,
      );
    }, 60_000);
  }

  it("of the memory adapter is maxBytes: an entry that can never fit is refused, the others make room", async () => {
    await using store = createStore(memory({ maxBytes: 10 * VALUE_SIZE }));
    for (let i = 0; i < 20; i++) await store.set(String(i), valueUnder(String(i)));
    const before = await store.count();
    const error = await store.set("large", valueUnder("large").repeat(11)).catch((reason: unknown) => reason);
    expect(KvError.is(error, "KV_CAPACITY")).toBe(true);
    expect(String(error)).toMatch(/store a smaller value, or raise maxBytes/);
    expect(await store.has("large")).toBe(false);
    expect(await store.count()).toBe(before);
    expect(await store.get("19")).toBe(valueUnder("19"));
    await store.set("after", 1);
    console.log(`memory, an entry larger than maxBytes: "${(error as KvError).message}"; the others stayed`);
  });
});

async function expectWholeCommits(store: Store): Promise<void> {
  const found = new Set<string>();
  for await (const key of store.keys()) found.add(key);
  for (const key of found) {
    if (key.endsWith(":a") || key.endsWith(":b")) {
      const other = `${key.slice(0, -1)}${key.endsWith("a") ? "b" : "a"}`;
      expect(found.has(other), `${key} without ${other}, of the same commit`).toBe(true);
    }
  }
}

/** Leaves no block free. */
function fillTheRest(path: string): void {
  for (const size of [2 ** 20, 2 ** 16, 2 ** 12]) {
    try {
      for (;;) writeFileSync(path, new Uint8Array(size), { flag: "a" });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  }
}
