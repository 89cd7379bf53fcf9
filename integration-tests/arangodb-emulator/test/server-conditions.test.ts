import { Database } from "arangojs";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Emulator, type EmulatorOptions, errorAnswer, fault, startEmulator } from "../src/index.ts";
import { messageOf, outcome } from "./lab.ts";

async function started(
  options: EmulatorOptions = {},
): Promise<{ readonly emulator: Emulator; readonly db: Database }> {
  const emulator = await startEmulator(options);
  onTestFinished(() => emulator.close());
  const db = new Database({ url: emulator.url, poolSize: 64 });
  await db.createCollection("c");
  return { emulator, db };
}

const all = async (db: Database, query: string) => (await db.query<unknown>(query)).all();

describe("the server's clock", () => {
  it("can be set, and every time the server tells follows", async () => {
    const { emulator, db } = await started({ clock: () => 1_000_000 });
    expect(await all(db, "RETURN DATE_NOW()")).toEqual([1_000_000]);
    emulator.setClock(-400);
    expect(await all(db, "RETURN DATE_NOW()")).toEqual([999_600]);
    expect(await db.request({ pathname: "/_admin/time" })).toMatchObject({ time: 999.6 });
  });

  it("is looked at once for a query, before it waits for anything", async () => {
    const { emulator, db } = await started({ clock: () => 1000 });
    const slow = all(db, "LET slept = SLEEP(0.1) RETURN [DATE_NOW(), DATE_NOW()]");
    await expect.poll(() => messageOf(all(db, "RETURN 1"))).toBe("");
    emulator.setClock(5000);
    expect(await slow).toEqual([[1000, 1000]]);
  });
});

describe("pauses", () => {
  it("let others do their work, on the snapshot from before them", async () => {
    const { db } = await started();
    const slow = all(db, "LET slept = SLEEP(0.2) RETURN LENGTH(FOR d IN c RETURN 1)");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await all(db, "INSERT {} INTO c");
    expect(await slow).toEqual([0]);
  });
});

describe("threads", () => {
  it("are as many as they are: queries that write wait for one, in order", async () => {
    const { db } = await started({ writersAtOnce: 1 });
    // One behind the other, no two of them are in each other's way.
    const writes = Array.from({ length: 20 }, (_, i) => outcome(all(db, `INSERT { i: ${i} } INTO c`)));
    const same = Array.from({ length: 20 }, () =>
      outcome(
        all(
          db,
          `UPSERT { _key: "n" } INSERT { _key: "n", n: 1 }
      UPDATE { n: OLD.n + 1 } IN c`,
        ),
      ),
    );
    expect(new Set(await Promise.all([...writes, ...same]))).toEqual(new Set(["ok"]));
    expect(await all(db, `RETURN DOCUMENT("c/n").n`)).toEqual([20]);
  });
});

describe("a loss of power", () => {
  it("takes what is behind the last commit that waited for the disk, and nothing before it", async () => {
    const { emulator, db } = await started();
    await all(db, "INSERT { _key: 'a' } INTO c");
    await all(db, "INSERT { _key: 'b' } INTO c OPTIONS { waitForSync: true }");
    await all(db, "INSERT { _key: 'lost' } INTO c");
    emulator.losePower();
    expect(await all(db, "FOR d IN c RETURN d._key")).toEqual(["a", "b"]);
  });
});

describe("what stands between a request and its answer", () => {
  it("is an error, with or without what was asked for being done", async () => {
    const { emulator, db } = await started();
    const before = emulator.intercept(fault(errorAnswer(503, 1429), { when: "before" }));
    expect(await outcome(all(db, "INSERT { _key: 'a' } INTO c"))).toBe("503/1429");
    before();
    emulator.intercept(fault(errorAnswer(500, 4), { when: "after" }));
    expect(await outcome(all(db, "INSERT { _key: 'b' } INTO c"))).toBe("500/4");
    expect(await outcome(all(db, "INSERT { _key: 'd' } INTO c"))).toBe("ok");
    expect(await all(db, "FOR d IN c SORT d._key RETURN d._key")).toEqual(["b", "d"]);
  });

  it("is a text of a proxy's, or the end of the connection", async () => {
    const { emulator, db } = await started();
    const proxy = emulator.intercept(fault({ status: 413, text: "<html>" }, { when: "before" }));
    expect(await outcome(all(db, "INSERT {} INTO c"))).toBe("413/-");
    proxy();
    emulator.intercept(fault("reset", { when: "after" }));
    expect(await messageOf(all(db, "INSERT { _key: 'a' } INTO c"))).toMatch(
      /fetch failed|other side closed/i,
    );
    expect(await all(db, "FOR d IN c RETURN d._key")).toEqual(["a"]);
  });
});
