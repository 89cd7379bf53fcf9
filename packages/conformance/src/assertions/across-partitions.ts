import assert from "node:assert/strict";
import type { Context } from "../suite/context.ts";
import { contents } from "./contents.ts";

/** Asserts how commits of several keys behave if only the keys of one partition are atomic together. */
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
  // The view's prefix may keep all of its keys in one partition; then the commit was applied as a whole.
  assert.equal((await contents(store)).length, applied === undefined ? 0 : keys.length);
  await store.clear();
  // A commit of one key is atomic in any partition.
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
