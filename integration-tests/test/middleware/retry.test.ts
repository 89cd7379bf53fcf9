import { type Commit, createStore, namespaceOf, Refusal, retry } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it } from "vitest";
import { collected } from "./collected.ts";
import { controlled, unavailable } from "./controlled.ts";

const root = namespaceOf([]);
const quick = retry({ attempts: 4, delay: "1ms", maxDelay: "4ms" });

function setup() {
  const inner = memory();
  const backend = controlled(inner);
  const store = createStore(backend.adapter, { middleware: [quick], timeout: 1 });
  return { inner, backend, store };
}

/** Fails the next calls, as many as this says, and then no more. */
function failing(
  backend: ReturnType<typeof controlled>,
  times: number,
  failure: Error = unavailable(),
): void {
  let left = times;
  Object.defineProperty(backend, "failure", {
    configurable: true,
    get: () => (left-- > 0 ? failure : undefined),
  });
}

describe("retry", () => {
  it("opens and reads again until the backend answers", async () => {
    const { backend, store } = setup();
    failing(backend, 2);
    expect(await store.get("k", "none")).toBe("none");
    expect(backend.calls).toEqual(["open", "open", "open", "read"]);
    for (const [name, call] of [
      ["read", () => store.get("k")],
      ["scan", () => collected(store.keys())],
      ["count", () => store.count()],
      ["stats", () => store.stats()],
    ] as const) {
      backend.calls.length = 0;
      failing(backend, 3);
      await call();
      expect(backend.calls).toEqual([name, name, name, name]);
    }
  });

  it("makes as many attempts as it is told, then passes the failure on", async () => {
    const { backend, store } = setup();
    await store.get("k");
    backend.calls.length = 0;
    failing(backend, Number.POSITIVE_INFINITY);
    await expect(store.get("k")).rejects.toMatchObject({
      code: "KV_UNAVAILABLE",
      operation: "get",
      key: "k",
    });
    expect(backend.calls).toEqual(["read", "read", "read", "read"]);
  });

  it("retries also what is thrown at once, and what the driver's code says", async () => {
    const { backend } = setup();
    backend.late = false;
    class Refused extends Error {}
    const adapter = quick(
      Object.assign(backend.adapter, {
        errorCode: (error: unknown) => (error instanceof Refused ? ("KV_UNAVAILABLE" as const) : undefined),
      }),
    );
    await adapter.open();
    failing(backend, 3, new Refused("ECONNREFUSED"));
    expect(await adapter.read(root, ["k"])).toEqual([undefined]);
    // Without failures, no call waits.
    expect(adapter.read(root, ["k"])).toEqual([undefined]);
  });

  it("does not retry what would fail again, or what says that it would", async () => {
    const { backend, store } = setup();
    await store.get("k");
    for (const failure of [
      new Error("syntax"),
      new Refusal("KV_CAPACITY", "full"),
      new Refusal("KV_UNAVAILABLE", "locked for good", { retryable: false }),
    ]) {
      backend.calls.length = 0;
      failing(backend, Number.POSITIVE_INFINITY, failure);
      await expect(store.get("k")).rejects.toThrow(failure.message);
      expect(backend.calls).toEqual(["read"]);
    }
  });

  it("ends a scan that fails after its first page", async () => {
    const { inner } = setup();
    let scans = 0;
    const adapter = quick(
      Object.assign(controlled(inner).adapter, {
        async *scan() {
          scans++;
          yield [];
          throw unavailable();
        },
      }),
    );
    const pages = adapter.scan(root, {
      start: "",
      end: undefined,
      reverse: false,
      limit: 10,
      keysOnly: false,
    });
    await expect(collected(pages)).rejects.toThrow("nobody is there");
    expect(scans).toBe(1);
  });

  it("repeats a write whose answer was lost only where that changes nothing", async () => {
    const { backend, store } = setup();
    await store.set("n", 1);
    for (const [call, repeated] of [
      [() => store.set("k", 1), true],
      [() => store.set("k", 1, { keepTtl: true, ttl: undefined }), true],
      [() => store.updateTtl("k", 60), true],
      [() => store.updatePolicy("k", "evict"), true],
      [() => store.delete("k"), true],
      [() => store.atomic().set("a", 1).delete("b").commit(), true],
      [() => store.increment("n"), false],
      [() => store.create("new", 1), false],
      [() => store.atomic().check("none", null).set("a", 1).commit(), false],
      [() => store.atomic().set("a", 1).increment("n").commit(), false],
      [() => store.clear({ prefix: "a" }), false],
    ] as const) {
      backend.calls.length = 0;
      backend.lostAnswers = 1;
      if (repeated) await call();
      else await expect(call()).rejects.toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
      expect(backend.calls.length, String(call)).toBe(repeated ? 2 : 1);
      backend.lostAnswers = 0;
    }
    // Both increments took effect, each once.
    expect(await store.get("n")).toBe(3);
  });

  it("repeats of a call the commits that were not applied, whatever they are, and no others", async () => {
    const inner = memory();
    let refuse = new Set<string>();
    const calls: string[][] = [];
    const adapter = quick(
      Object.assign(controlled(inner).adapter, {
        async commit(namespace: typeof root, commits: readonly Commit[]) {
          calls.push(commits.map(({ mutations }) => mutations[0]?.key ?? ""));
          const results = [];
          for (const commit of commits) {
            const refused = commit.mutations.some(({ key }) => refuse.has(key));
            if (refused) results.push({ status: "error", error: unavailable() } as const);
            else results.push(...(await inner.commit(namespace, [commit])));
          }
          refuse = new Set();
          return results;
        },
      }),
    );
    const increment = (key: string): Commit => ({
      checks: [],
      mutations: [
        { type: "increment", key, by: 1, expiresAt: undefined, policy: "persist", user: undefined },
      ],
    });
    refuse = new Set(["b", "c"]);
    const results = await adapter.commit(root, ["a", "b", "c", "a", "c"].map(increment));
    // A later commit on c was tried already: repeating the earlier one would turn them round.
    expect(calls).toEqual([
      ["a", "b", "c", "a", "c"],
      ["b", "c"],
    ]);
    expect(
      results.map((result) => (result.status === "ok" ? result.outcomes[0]?.value : result.status)),
    ).toEqual([1, 1, "error", 2, 1]);
  });
});
