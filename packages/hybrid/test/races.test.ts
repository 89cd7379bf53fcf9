import { type Adapter, createStore, forward, type Pages, type Store } from "@kv/core";
import { memory } from "@kv/memory";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { files, hybrid } from "../src/index.ts";
import { collected, large, scratchDirectory } from "./scratch.ts";

/** An index whose calls trigger another action, as if another process did it. */
interface Interrupted {
  /** After the index has read, and before the reader goes on. Once. */
  afterRead: (() => Promise<unknown>) | undefined;
  /** After the index has read a page, and before its files are read. Once. */
  afterPage: (() => Promise<unknown>) | undefined;
  /** After a scan has seen everything. Once each. */
  afterScan: (() => Promise<unknown>)[];
  /** Before a commit reaches the index. Once. */
  beforeCommit: (() => Promise<unknown>) | undefined;
}

let meanwhile: Interrupted;
/** The store whose calls are interrupted. */
let store: Store;
/** Another store over the same index and files, whose calls are not interrupted. */
let other: Store;

beforeEach(async () => {
  const directory = await scratchDirectory();
  const inner = memory();
  await inner.open();
  meanwhile = { afterRead: undefined, afterPage: undefined, afterScan: [], beforeCommit: undefined };
  const shared = forward(inner, { open: () => undefined, close: () => undefined });
  const over = (index: Adapter): Store => {
    const made = createStore(hybrid({ index, directory, inlineBelow: 0, collectInterval: null }), {
      sweepInterval: null,
    });
    onTestFinished(() => made.close());
    return made;
  };
  other = over(shared);
  store = over(interrupted(shared));
});

function interrupted(inner: Adapter): Adapter {
  async function* scanned<T>(pages: Pages<T>): AsyncGenerator<readonly T[]> {
    for await (const page of pages) {
      const then = meanwhile.afterPage;
      meanwhile.afterPage = undefined;
      await then?.();
      yield page;
    }
    await meanwhile.afterScan.shift()?.();
  }
  return forward(inner, {
    async read(...args) {
      const entries = await inner.read(...args);
      const then = meanwhile.afterRead;
      meanwhile.afterRead = undefined;
      await then?.();
      return entries;
    },
    scan: (...args) => scanned(inner.scan(...args)),
    async commit(...args) {
      const first = meanwhile.beforeCommit;
      meanwhile.beforeCommit = undefined;
      await first?.();
      return inner.commit(...args);
    },
  });
}

const collectNow = () => files(other).collect({ grace: 0 });

async function replacedAndCollected(): Promise<void> {
  await other.set("k", large(2));
  expect(await collectNow()).toMatchObject({ removed: 1 });
}

async function deletedAndCollected(): Promise<void> {
  await other.delete("k");
  expect(await collectNow()).toMatchObject({ removed: 1 });
}

describe("a reader whose file is collected between index and file", () => {
  beforeEach(async () => {
    await store.set("k", large(1));
  });

  it("reads what replaced it", async () => {
    meanwhile.afterRead = replacedAndCollected;
    expect(await store.get("k")).toEqual(large(2));
  });

  it("gets value and revision of one write", async () => {
    meanwhile.afterRead = replacedAndCollected;
    const entry = await store.getEntry("k");
    expect(entry?.value).toEqual(large(2));
    expect(await store.replace("k", "guarded", { revision: entry?.metadata.revision ?? "" })).toBeDefined();
  });

  it("finds nothing where it was deleted", async () => {
    meanwhile.afterRead = deletedAndCollected;
    expect(await store.get("k", "nothing")).toBe("nothing");
  });

  it("streams what replaced it, or finds nothing", async () => {
    meanwhile.afterRead = replacedAndCollected;
    const found = await files(store).getStream("k");
    expect(JSON.parse(Buffer.concat(await collected(found?.stream ?? [])).toString())).toEqual(large(2));
    meanwhile.afterRead = deletedAndCollected;
    expect(await files(store).getStream("k")).toBeUndefined();
  });

  it("takes and updates what is there, and not what was", async () => {
    meanwhile.afterRead = replacedAndCollected;
    expect(await store.update("k", (value) => ({ updated: value }))).toEqual({ updated: large(2) });
    await other.set("k", large(1));
    await collectNow();
    meanwhile.afterRead = replacedAndCollected;
    expect(await store.take("k")).toEqual(large(2));
    expect(await store.has("k")).toBe(false);
  });

  it("goes on with its scan, and verifies what is there", async () => {
    await store.set("j", large(3));
    await store.set("l", large(4));
    const entries = store.entries();
    const first = await entries.next();
    expect(first.value?.key).toBe("j");
    await replacedAndCollected();
    const rest = await collected(entries);
    expect(rest.map(({ key }) => key)).toEqual(["k", "l"]);
    expect((await files(store).verify()).problems).toEqual([]);
  });

  it.each([
    [false, 2],
    [true, 4],
  ])(
    "gets as many entries as it asked for, and loses none behind them (reverse: %s)",
    async (reverse, limit) => {
      for (const [i, key] of ["a", "b", "x", "y", "z"].entries()) await store.set(key, large(i + 10));
      const seen: string[] = [];
      let cursor: string | undefined;
      meanwhile.afterPage = deletedAndCollected;
      do {
        const page = await store.page({ limit, reverse, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.entries.map(({ key }) => key));
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(seen.toSorted()).toEqual(["a", "b", "x", "y", "z"]);
    },
  );

  it("is told of the last state while it watches", async () => {
    const seen: unknown[] = [];
    const subscription = await store.subscribe((change) => seen.push(change.value ?? change.type), {
      prefix: "k",
    });
    await store.set("k", large(5));
    await other.set("k", large(2));
    expect(await collectNow()).toMatchObject({ removed: 2 });
    await expect.poll(() => seen.at(-1)).toEqual(large(2));
    await store.delete("k");
    await expect.poll(() => seen.at(-1)).toBe("delete");
    subscription.unsubscribe();
  });
});

describe("a collector", () => {
  it("leaves a file alone whose commit is under way, however long that takes", async () => {
    meanwhile.beforeCommit = async () => {
      expect(await collectNow()).toMatchObject({ removed: 0, quarantined: 0 });
    };
    await store.set("k", large(1));
    expect(await store.get("k")).toEqual(large(1));
  });

  it("leaves a file alone that a stream is about to be committed with", async () => {
    meanwhile.beforeCommit = async () => {
      expect(await collectNow()).toMatchObject({ removed: 0, quarantined: 0 });
    };
    await files(store).setStream("k", ["some bytes"]);
    expect(await store.get("k")).toEqual(new Uint8Array(Buffer.from("some bytes")));
  });

  it("puts back a file that was written again after the index was read, and is found in quarantine until then", async () => {
    await store.set("k", large(1));
    await store.delete("k");
    meanwhile.afterScan = [
      // Before the file is moved, so that the new file is moved.
      async () => void (await other.set("again", large(1))),
    ];
    const collecting = files(store).collect({ grace: 0 });
    expect(await collecting).toMatchObject({ quarantined: 1, restored: 1, removed: 0 });
    expect(await other.get("again")).toEqual(large(1));
  });

  it("removes the copy in quarantine, and not the file that was written anew meanwhile", async () => {
    await store.set("k", large(1));
    await store.delete("k");
    meanwhile.afterScan = [
      async () => undefined,
      // While the index is read for the second time; that has passed the key already.
      async () => void (await other.set("again", large(1))),
    ];
    expect(await files(store).collect({ grace: 0 })).toMatchObject({ quarantined: 1, removed: 1 });
    expect(await other.get("again")).toEqual(large(1));
    expect((await files(other).verify()).problems).toEqual([]);
  });

  it("may be one of several", async () => {
    for (let i = 0; i < 20; i++) await store.set(`k${i}`, large(i));
    for (let i = 0; i < 20; i += 2) await store.delete(`k${i}`);
    const reports = await Promise.all([files(store), files(other)].map((each) => each.collect({ grace: 0 })));
    expect(reports.reduce((sum, { removed }) => sum + removed, 0)).toBe(10);
    expect(await files(store).verify()).toMatchObject({
      entries: 10,
      problems: [],
      unreferenced: { files: 0 },
    });
  });
});
