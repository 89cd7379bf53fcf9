import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Adapter,
  bounded,
  type Codec,
  createStore,
  fallback,
  forward,
  inThisContext,
  logging,
  type StoreReader,
} from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it } from "vitest";

const request = new AsyncLocalStorage<string>();

/** What runs in a context of its own, for whom it runs, and in which context that was. */
class Witness {
  readonly seen: string[] = [];

  readonly note = (whose: string): void => {
    this.seen.push(`${whose} as ${request.getStore()}`);
  };

  expectOwn(callers: readonly string[] = CALLERS): void {
    expect(new Set(this.seen)).toEqual(new Set(callers.map((caller) => `${caller} as ${caller}`)));
  }
}

const CALLERS = ["ann", "bob", "cleo"];

async function everyCaller(run: (caller: string) => Promise<unknown>): Promise<void> {
  await Promise.all(CALLERS.map((caller) => request.run(caller, () => run(caller))));
}

/** A backend that takes its time, so that callers meet. */
function slow(): Adapter {
  const inner = memory();
  const pause = () => sleep(1);
  return forward(inner, {
    batch: { read: true, commit: true },
    open: pause,
    read: async (...args) => pause().then(() => inner.read(...args)),
    commit: async (...args) => pause().then(() => inner.commit(...args)),
  });
}

describe("functions of callers who meet on one key", () => {
  it("of update and transaction", async () => {
    const store = createStore(slow());
    const witness = new Witness();
    await everyCaller(async (caller) => {
      await Promise.all([
        store.update("k", () => {
          witness.note(caller);
          return caller;
        }),
        store.transaction(async (tx) => {
          await tx.get("k");
          witness.note(caller);
          tx.set("k", caller);
        }),
      ]);
    });
    expect(witness.seen.length).toBeGreaterThanOrEqual(6);
    witness.expectOwn();
  });

  it("schemas and codecs, in reads, writes, take and scans", async () => {
    const witness = new Witness();
    const codec = (caller: string): Codec => ({
      name: "noted",
      encode: (value) => {
        witness.note(caller);
        return JSON.stringify(value);
      },
      decode: (payload) => {
        witness.note(caller);
        return JSON.parse(String(payload));
      },
    });
    const adapter = slow();
    await everyCaller(async (caller) => {
      const store = createStore(adapter, { codec: codec(caller) });
      const view = store.typed({
        "~standard": {
          version: 1,
          vendor: "test",
          validate: (value) => {
            witness.note(caller);
            return { value };
          },
        },
      });
      await Promise.all([
        view.set("k", 1),
        view.get("k"),
        view.increment("n"),
        view.increment("n"),
        view.take("k"),
        view.update("k", () => 2),
        view.getMany(["k", "n"]),
      ]);
      await read(view);
    });
    witness.expectOwn();
  });

  it("onCorrupt, in the scan that finds the entry", async () => {
    const adapter = slow();
    const rich = createStore(adapter, { codec: { name: "gone", encode: () => "x", decode: () => 0 } });
    await rich.set("k", 1);
    const witness = new Witness();
    await everyCaller(async (caller) => {
      await read(createStore(adapter, { onCorrupt: () => witness.note(caller) }));
    });
    witness.expectOwn();
  });
});

async function read(store: StoreReader): Promise<void> {
  for await (const _ of store.values());
}

describe("what is called back in the middle of others' calls", () => {
  it("watch callbacks, in the context of subscribe", async () => {
    const store = createStore(memory());
    const witness = new Witness();
    await everyCaller((caller) => store.subscribe(() => witness.note(caller)));
    await request.run("dora", () => store.set("k", 1));
    await sleep(10);
    await store.close();
    witness.expectOwn();
  });

  it("onEvict, of memory and of bounded", async () => {
    const witness = new Witness();
    const [a, b] = request.run("ann", () => {
      const onEvict = () => witness.note("ann");
      return [
        createStore(memory({ maxEntries: 1, onEvict })),
        createStore(memory(), { middleware: [bounded({ maxEntries: 1, onEvict })] }),
      ];
    });
    await request.run("dora", async () => {
      await a?.setMany([
        ["a", 1],
        ["b", 2],
      ]);
      await b?.setMany([
        ["a", 1],
        ["b", 2],
      ]);
    });
    expect(witness.seen.length).toBe(2);
    witness.expectOwn(["ann"]);
  });

  it("a logger, and onChange of fallback", async () => {
    const witness = new Witness();
    const note = () => witness.note("ann");
    const down = forward(memory(), {
      errorCode: () => "KV_UNAVAILABLE",
      read: () => {
        throw new Error("down");
      },
    });
    const store = request.run("ann", () =>
      createStore(down, {
        middleware: [logging({ log: note }), fallback({ mode: "degrade", to: memory(), onChange: note })],
      }),
    );
    await request.run("dora", () => store.get("k"));
    await store.close();
    expect(witness.seen.length).toBeGreaterThan(2);
    witness.expectOwn(["ann"]);
  });
});

it("a store is opened, and swept, in the context of its making", async () => {
  const witness = new Witness();
  const swept = Promise.withResolvers<void>();
  const adapter = forward(memory(), {
    open: () => witness.note("ann"),
    sweep: () => {
      witness.note("ann");
      swept.resolve();
      return 0;
    },
    read: (_, keys) => keys.map(() => undefined),
  });
  const store = request.run("ann", () => createStore(adapter, { sweepInterval: "5ms" }));
  await request.run("dora", () => store.get("k"));
  await swept.promise;
  await store.close();
  witness.expectOwn(["ann"]);
});

it("a function bound to a context keeps its arguments and result", () => {
  const fn = request.run("ann", () =>
    inThisContext((a: number, b: number) => `${a + b} ${request.getStore()}`),
  );
  expect(request.run("bob", () => fn(1, 2))).toBe("3 ann");
});
