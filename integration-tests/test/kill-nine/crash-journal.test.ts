import { createStore, type Store } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it } from "vitest";
import { CrashJournal } from "./crash-journal.ts";

/** What a life of two bursts leaves behind, the second one without its commit being acknowledged. */
async function lived(spoil: (store: Store) => Promise<unknown>): Promise<void> {
  const store = createStore(memory());
  const journal = new CrashJournal();
  journal.add(["begin 1", "s0 1", "t0 1", "d0 1", "gone0 1", "count 1", "m 1", "begin 2", "s0 2", "count 2"]);
  await store.setMany([
    ["s0", 2],
    ["t0", 1, { ttl: "1h" }],
    ["count", 2],
    ["m0", { burst: 1 }],
    ["m1", { burst: 1 }],
    ["m2", { burst: 1 }],
    ["m3", { burst: 1, tail: "m".repeat(7919) }],
    ["m4", { burst: 1 }],
    ["m5", 1],
    ["m6", 1],
  ]);
  await spoil(store);
  await journal.verify(store);
}

describe("the journal of the crash tests", () => {
  it("accepts what a crash may leave", () => expect(lived(async () => {})).resolves.toBeUndefined());

  const losses: readonly (readonly [what: string, spoil: (store: Store) => Promise<unknown>])[] = [
    ["an acknowledged write is gone", (store) => store.delete("s0")],
    ["an older write is back", (store) => store.set("s0", 1)],
    ["a deadline is gone", (store) => store.updateTtl("t0", null)],
    ["a deleted entry is back", (store) => store.set("d0", 1)],
    ["an increment is gone", (store) => store.increment("count", -1)],
    ["a commit's set is gone", (store) => store.delete("m2")],
    ["a commit's delete is missing", (store) => store.delete("m6")],
    ["a later commit's set is there", (store) => store.set("m1", { burst: 2 })],
    ["a later commit's increment is there", (store) => store.increment("m5")],
    ["a long value is cut", (store) => store.set("m3", { burst: 1, tail: "m" })],
  ];
  for (const [what, spoil] of losses) {
    it(`refuses it where ${what}`, () => expect(lived(spoil)).rejects.toThrow());
  }
});
