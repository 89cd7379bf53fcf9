import assert from "node:assert/strict";
import type { Context } from "../suite/context.ts";
import { contents } from "./contents.ts";

/** What must hold of commits of several keys where only those of one partition are atomic together. */
export async function refusedAcrossPartitions({ store, refused }: Context): Promise<void> {
  const keys = Array.from({ length: 64 }, (_, position) => `key ${position}`);
  const whole = () => {
    const commit = store.atomic().check("other", null);
    for (const key of keys) commit.set(key, 1);
    return commit.commit();
  };
  const applied = await whole().catch(() => undefined);
  if (applied === undefined) {
    await refused("KV_UNSUPPORTED", whole, { operation: "commit" });
    const transaction = () =>
      store.transaction(async (tx) => {
        for (const key of keys) tx.set(key, await tx.has(key));
      });
    await refused("KV_UNSUPPORTED", transaction, { operation: "transaction" });
  }
  // What begins all keys of the view may keep them together; then it was applied as a whole.
  assert.equal((await contents(store)).length, applied === undefined ? 0 : keys.length);
  await store.clear();
  // What concerns one key alone is atomic wherever it is.
  for (const key of keys) {
    const created = await store.atomic().check(key, null).set(key, 1).increment(key).commit();
    assert.ok(created.ok);
    assert.equal(await store.create(key, 3), undefined);
  }
  assert.deepEqual(
    await store.getMany(keys),
    keys.map(() => 2),
  );
}
