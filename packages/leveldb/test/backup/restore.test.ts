import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStore, type Store } from "@kv/core";
import { ClassicLevel } from "classic-level";
import { describe, expect, onTestFinished, test } from "vitest";
import { leveldb } from "../../src/index.ts";
import { checksum, checksumText } from "../../src/stored/checksum.ts";
import { Opener } from "../holding/opener.ts";
import { refusalOf, scratchPath } from "../scratch.ts";

async function within<T>(path: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = createStore(leveldb({ path }));
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Into an empty directory, as it should be done. */
function restore(backup: string, path: string): void {
  rmSync(path, { recursive: true });
  cpSync(backup, path, { recursive: true });
}

describe("after a restore", () => {
  test("a revision of the lost future matches nothing", async () => {
    const path = await scratchPath();
    const first = await within(path, (store) => store.set("k", "before"));
    cpSync(path, `${path}-backup`, { recursive: true });
    const lost = await within(path, (store) => store.set("k", "lost"));
    restore(`${path}-backup`, path);
    await within(path, async (store) => {
      expect((await store.getMetadata("k"))?.revision).toBe(first);
      expect(await store.set("k", "after")).not.toBe(lost);
      expect(await store.replace("k", "wrong", { revision: lost })).toBeUndefined();
      expect(await store.delete("k", { revision: lost })).toBe(false);
      expect((await store.atomic().check("k", lost).set("k", "wrong").commit()).ok).toBe(false);
      expect(await store.get("k")).toBe("after");
    });
  });

  test("no revision of two hundred openings of copies is given out twice", async () => {
    const database = new ClassicLevel(await scratchPath());
    onTestFinished(() => database.close());
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const store = createStore(leveldb({ database }));
      seen.add(await store.set("k", i));
      await store.close();
      // As a restore of the record would.
      await database.del("!kv!m");
      await database.del("!kv!e\0k");
    }
    expect(seen.size).toBe(200);
  });

  test("data of a version that counted its revisions stays readable and guarded, and its record stays", async () => {
    const path = await scratchPath();
    const database = new ClassicLevel(path);
    const record = (key: string, content: string) => checksumText(checksum(key, content)) + content;
    const meta = record("!kv!m", '{"layout":1,"revision":1048577}');
    const content = "1@17 1790000000000 1790000000000\n1";
    await database.put("!kv!m", meta);
    await database.put("!kv!e\0k", record("!kv!e\0k", content));
    await database.close();
    await within(path, async (store) => {
      expect((await store.getMetadata("k"))?.revision).toBe("17");
      expect(await store.replace("k", 2, { revision: "18" })).toBeUndefined();
      expect(await store.replace("k", 2, { revision: "17" })).not.toBeUndefined();
    });
    await database.open();
    expect(await database.get("!kv!m")).toBe(meta);
    await database.close();
  });
});

describe("a backup copied over newer files is KV_CORRUPT, naming what does not belong", () => {
  /** A backup, and beside it the same store with more in it. */
  async function backedUp(path: string): Promise<string> {
    await within(path, (store) => store.set("k", "old"));
    cpSync(path, `${path}-backup`, { recursive: true });
    for (let i = 0; i < 3; i++) await within(path, (store) => store.set("k", `new ${i}`));
    return `${path}-backup`;
  }

  async function expectMixture(path: string): Promise<void> {
    for (let i = 0; i < 2; i++) {
      expect(await refusalOf({ path })).toMatchObject({
        code: "KV_CORRUPT",
        message: expect.stringMatching(
          /mixture of two states: .*(\d+\.log|MANIFEST-\d+).* not belong .* empty directory/,
        ),
      });
    }
  }

  test("of a store that was closed", async () => {
    const path = await scratchPath();
    const backup = await backedUp(path);
    cpSync(backup, path, { recursive: true });
    await expectMixture(path);
    restore(backup, path);
    expect(await within(path, (store) => store.get("k"))).toBe("old");
  });

  test("of a store that was killed, over one that was closed", async () => {
    const path = await scratchPath();
    const backup = await backedUp(path);
    rmSync(join(backup, "kv-closed.json"));
    cpSync(backup, path, { recursive: true });
    await expectMixture(path);
  });

  test("of a store that was closed, over one that was killed", async () => {
    const path = await scratchPath();
    const backup = await backedUp(path);
    const opener = await Opener.start();
    await opener.ask("open", path, "newest");
    await opener.kill();
    cpSync(backup, path, { recursive: true });
    await expectMixture(path);
  });

  test("of a store that was killed, over one that was killed", async () => {
    const path = await scratchPath();
    const backup = await backedUp(path);
    rmSync(join(backup, "kv-closed.json"));
    const opener = await Opener.start();
    await opener.ask("open", path, "newest");
    await opener.kill();
    cpSync(backup, path, { recursive: true });
    await expectMixture(path);
  });

  test("a log alone, of another state", async () => {
    const path = await scratchPath();
    await backedUp(path);
    const [log = ""] = readdirSync(path).filter((name) => name.endsWith(".log"));
    writeFileSync(join(path, "999999.log"), readFileSync(join(path, log)));
    expect(await refusalOf({ path })).toMatchObject({
      code: "KV_CORRUPT",
      message: expect.stringContaining("999999.log does not belong"),
    });
  });

  test("but leftovers of earlier states, as in a backup that is updated by a tool which deletes nothing, are not", async () => {
    const path = await scratchPath();
    for (let i = 0; i < 4; i++) {
      await within(path, (store) =>
        store.setMany([
          [`k${i}`, i],
          ["all", "x".repeat(100_000)],
        ]),
      );
      cpSync(path, `${path}-backup`, { recursive: true });
    }
    expect(readdirSync(`${path}-backup`).filter((name) => name.startsWith("MANIFEST")).length).toBe(4);
    restore(`${path}-backup`, path);
    expect(await within(path, (store) => store.count())).toBe(5);
  });

  test("but a database that was opened since by another program, or repaired, is not", async () => {
    const path = await scratchPath();
    await backedUp(path);
    const database = new ClassicLevel(path);
    await database.open();
    await database.close();
    expect(await within(path, (store) => store.get("k"))).toBe("new 2");
    await ClassicLevel.repair(path);
    expect(await within(path, (store) => store.get("k"))).toBe("new 2");
    await ClassicLevel.destroy(path);
    expect(await within(path, (store) => store.get("k"))).toBeUndefined();
  });
});
