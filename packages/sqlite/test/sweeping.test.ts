import Sqlite from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { commitAll, opened, payloadOf, ROOT, scratchPath, setting } from "./scratch.ts";

function rowsIn(path: string): () => unknown {
  const db = new Sqlite(path, { readonly: true });
  onTestFinished(() => void db.close());
  const count = db.prepare("SELECT count(*) FROM kv").pluck();
  return () => count.get();
}

test("a sweep removes what has expired and nothing else, in slices that leave the event loop alive", async () => {
  const path = await scratchPath();
  let now = 1_000_000;
  const adapter = await opened({ path, clock: () => now });
  const commits = Array.from({ length: 30_000 }, (_, i) =>
    setting(`k${i}`, i, { expiresAt: i % 3 === 0 ? undefined : now + 1000 }),
  );
  await adapter.commit(ROOT, commits);
  now += 1000;
  await commitAll(adapter, setting("k1", "rewritten"), setting("k2", "later", { expiresAt: now + 1 }));
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  expect(await adapter.sweep()).toBe(20_000 - 2);
  clearInterval(counting);
  // One for each transaction of 500 rows, about; all at once there would be none.
  expect(turns).toBeGreaterThan(10);
  expect(rowsIn(path)()).toBe(10_002);
  expect(await payloadOf(adapter, "k1")).toBe('"rewritten"');
  expect(await adapter.count(ROOT, { start: "", end: undefined })).toBe(10_002);
});

test("a sweep looks at nothing until any entry had a deadline, in whatever process", async () => {
  const path = await scratchPath();
  let now = 1000;
  const first = await opened({ path, clock: () => now });
  const second = await opened({ path, clock: () => now });
  await commitAll(first, setting("k", 1));
  expect(await first.sweep()).toBe(0);
  await commitAll(second, setting("t", 1, { expiresAt: 2000 }));
  now = 2000;
  expect(await first.count(ROOT, { start: "", end: undefined })).toBe(1);
  expect(await first.sweep()).toBe(1);
  expect(rowsIn(path)()).toBe(1);
});

test("row ids far apart do not make it long", async () => {
  const path = await scratchPath();
  let now = 1000;
  const adapter = await opened({ path, clock: () => now });
  await commitAll(adapter, setting("a", 1, { expiresAt: 2000 }));
  const db = new Sqlite(path);
  db.exec("INSERT INTO kv SELECT namespace, 'b', 1, 1, 1, 1500, 0, 'json', 0, 0, NULL, '1' FROM kv LIMIT 1");
  db.exec("UPDATE kv SET rowid = 4000000000000 WHERE key = 'b'");
  db.close();
  now = 2000;
  expect(await adapter.sweep()).toBe(2);
});

test("what another connection rewrites during a sweep stays", async () => {
  const path = await scratchPath();
  let now = 1000;
  const sweeping = await opened({ path, clock: () => now });
  const writing = await opened({ path, clock: () => now });
  const keys = Array.from({ length: 5000 }, (_, i) => `k${i}`);
  await sweeping.commit(
    ROOT,
    keys.map((key) => setting(key, 1, { expiresAt: 2000 })),
  );
  now = 2000;
  const sweep = sweeping.sweep();
  for (const key of keys.slice(-50)) await commitAll(writing, setting(key, 2));
  await sweep;
  for (const key of keys.slice(-50)) expect(await payloadOf(sweeping, key)).toBe("2");
  expect(rowsIn(path)()).toBe(50);
});

test("closing ends a sweep", async () => {
  const path = await scratchPath();
  let now = 1000;
  const adapter = await opened({ path, clock: () => now });
  await adapter.commit(
    ROOT,
    Array.from({ length: 20_000 }, (_, i) => setting(`k${i}`, 1, { expiresAt: 2000 })),
  );
  now = 2000;
  const sweep = adapter.sweep();
  await adapter.close();
  expect(await sweep).toBeLessThan(20_000);
});

test("a key that was deleted after it had expired stays deleted where the clock is set back", async () => {
  let now = 1000;
  const adapter = await opened({ path: await scratchPath(), clock: () => now });
  await commitAll(adapter, setting("k", 1, { expiresAt: 2000 }));
  now = 2000;
  const deletion = { checks: [], mutations: [{ type: "delete", key: "k" }] } as const;
  expect(await commitAll(adapter, deletion)).toEqual([{ status: "ok", outcomes: [{ existed: false }] }]);
  now = 1000;
  expect(await payloadOf(adapter, "k")).toBeUndefined();
});
