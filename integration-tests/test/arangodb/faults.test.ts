import { inspect } from "node:util";
import { type ArangodbServerOptions, arangodb } from "@kv/arangodb";
import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { createStore, type KvError, type Store } from "@kv/core";
import { Database } from "arangojs";
import { describe, expect, onTestFinished, test } from "vitest";
import { FaultProxy } from "../../proxy/fault-proxy.ts";

const PASSWORD = "geheim";

interface Place {
  readonly emulator: Emulator;
  readonly proxy: FaultProxy;
  /** A store behind the proxy. */
  store(options?: ArangodbServerOptions): Store;
}

async function place(): Promise<Place> {
  const emulator = await startEmulator({ password: PASSWORD });
  const proxy = await FaultProxy.start({ host: "127.0.0.1", port: emulator.port });
  onTestFinished(async () => {
    await proxy.close();
    await emulator.close();
  });
  return {
    emulator,
    proxy,
    store(options = {}) {
      const url = `http://root:${PASSWORD}@127.0.0.1:${proxy.port}/faults`;
      const store = createStore(arangodb({ url, requestTimeout: 2000, ...options }), { timeout: 20 });
      onTestFinished(() => store.close().catch(() => undefined));
      return store;
    },
  };
}

async function refusalOf(promise: Promise<unknown>): Promise<KvError> {
  return promise.then(
    () => Promise.reject(new Error("it was not refused")),
    (error: KvError) => error,
  );
}

/** Until it goes well, however busy the machine is. */
async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
}

describe("the connection", { timeout: 60_000 }, () => {
  test("slow: everything works, only later", async () => {
    const { proxy, store } = await place();
    const slow = store({ requestTimeout: 4000 });
    await slow.set("k", 1);
    await proxy.set({ kind: "latency", milliseconds: 50 });
    expect(await Promise.all([slow.set("k", 2), slow.get("k"), slow.increment("n")])).toMatchObject({
      1: 2,
      2: 1,
    });
  });

  test("no server: refused at once and retryable, and the same store works when there is one", async () => {
    const { proxy, store } = await place();
    await proxy.set({ kind: "refuse" });
    const early = store();
    expect(await refusalOf(early.get("k"))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
    await proxy.heal();
    await early.set("k", 1);
    await proxy.set({ kind: "refuse" });
    // A connection that is reset while it is used is another matter; one that cannot be made was never used.
    await refusalOf(early.get("k"));
    expect(await refusalOf(early.set("k", 2))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
    await proxy.heal();
    await eventually(async () => expect(await early.get("k")).toBe(1));
  });

  test("reset: reads and writes are refused, and work again afterwards", async () => {
    const { proxy, store } = await place();
    const one = store();
    await one.set("k", 1);
    await proxy.set({ kind: "reset" });
    expect((await refusalOf(one.get("k"))).code).toBe("KV_UNAVAILABLE");
    expect((await refusalOf(one.set("k", 2))).code).toBe("KV_UNAVAILABLE");
    await proxy.heal();
    await eventually(() => one.get("k"));
    await one.set("k", 3);
    expect(await one.get("k")).toBe(3);
  });

  test("silent: given up in time, and nothing hangs", async () => {
    const { proxy, store } = await place();
    const one = store();
    await one.set("k", 1);
    await proxy.set({ kind: "half-open" });
    const codes = await Promise.all(
      [one.get("k"), one.set("k", 2)].map(async (each) => (await refusalOf(each)).code),
    );
    expect(codes).toEqual(["KV_UNAVAILABLE", "KV_UNAVAILABLE"]);
    await proxy.heal();
    proxy.reset();
    await eventually(() => one.get("k"));
  });

  test("an answer that is lost: the write was applied once, is not repeated, and the error says that it may have been applied", async () => {
    const { proxy, store, emulator } = await place();
    const one = store();
    const direct = createStore(
      arangodb({ url: `${emulator.url}/faults`, username: "root", password: PASSWORD }),
    );
    onTestFinished(() => direct.close());
    expect(await one.increment("n")).toBe(1);
    await proxy.set({ kind: "drop-answers" });
    const error = await refusalOf(one.increment("n"));
    expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    expect(error.message).toMatch(/may have been applied/);
    await proxy.heal();
    proxy.reset();
    expect(await direct.get("n")).toBe(2);
    await eventually(async () => expect(await one.get("n")).toBe(2));
    expect(await one.increment("n")).toBe(3);
  });

  test("a watcher misses nothing of what was written while it could not look", async () => {
    const { proxy, store, emulator } = await place();
    const watching = store({ watchInterval: 20 });
    const direct = createStore(
      arangodb({ url: `${emulator.url}/faults`, username: "root", password: PASSWORD }),
    );
    onTestFinished(() => direct.close());
    const last = new Map<string, unknown>();
    await watching.subscribe(({ type, key = "", value }) => {
      if (type === "set") last.set(key, value);
      else last.delete(key);
    });
    await direct.set("gone", 1);
    await eventually(async () => expect(last.get("gone")).toBe(1));
    await proxy.set({ kind: "drop-answers" });
    await direct.setMany(Array.from({ length: 200 }, (_, i) => [`k${i}`, i]));
    await direct.delete("gone");
    await proxy.heal();
    proxy.reset();
    await eventually(async () => expect(last.size).toBe(200));
    expect(last.get("k199")).toBe(199);
  });

  test("a server that is stopped and started again: refused meanwhile, and the same store goes on", async () => {
    const { emulator, store } = await place();
    const one = store();
    await one.set("k", 1);
    await emulator.close();
    expect((await refusalOf(one.get("k"))).code).toBe("KV_UNAVAILABLE");
    expect((await refusalOf(one.set("k", 2))).code).toBe("KV_UNAVAILABLE");
    const again = await startEmulator({ password: PASSWORD, port: emulator.port });
    onTestFinished(() => again.close());
    await eventually(() => one.set("k", 3));
    expect(await one.get("k")).toBe(3);
  });

  test("a coordinator that cannot be reached: the next one is asked, and deadlines are by its clock", async () => {
    const { proxy, emulator, store } = await place();
    const urls = [
      `http://root:${PASSWORD}@127.0.0.1:${proxy.port}/faults`,
      `http://root:${PASSWORD}@127.0.0.1:${emulator.port}/faults`,
    ];
    const one = createStore(arangodb({ urls, requestTimeout: 4000 }), { timeout: 20 });
    onTestFinished(() => one.close());
    await one.set("k", 1);
    await proxy.set({ kind: "refuse" });
    // Connections that are reset fail; those that cannot be made go on to the other one.
    await eventually(async () => expect(await one.get("k")).toBe(1));
    await one.set("k", 2, { ttl: "1m" });
    expect(await one.get("k")).toBe(2);
    await proxy.heal();
    expect(await store().get("k")).toBe(2);
  });

  test("a server that forgot everything: what is needed is made again, and watchers go on", async () => {
    const { store, emulator } = await place();
    const one = store({ watchInterval: 20 });
    await one.namespace("n").set("k", 1);
    const seen: string[] = [];
    await one.subscribe(({ type, key = type }) => void seen.push(key));
    const system = new Database({ url: emulator.url, auth: { username: "root", password: PASSWORD } });
    await system.dropDatabase("faults");
    expect(await one.get("k")).toBeUndefined();
    await one.namespace("n").set("k", 2);
    await one.set("again", 1);
    expect(await one.listNamespaces()).toEqual([["n"]]);
    // What it had is gone without a word: watchers are told to read again.
    await eventually(async () => expect(seen).toContain("resync"));
    await one.set("later", 1);
    await eventually(async () => expect(seen).toContain("later"));
  });
});

describe("being let in", () => {
  test("a wrong password is one clear refusal, which does not repeat it", async () => {
    const { store } = await place();
    const error = await refusalOf(store({ password: "falsch-geheim" }).get("k"));
    expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    expect(error.message).toMatch(/check the options username, password/);
    expect(inspect(error, { depth: 8 })).not.toMatch(/falsch-geheim|Basic |authorization/i);
  });

  test.each(["Grüße", "пароль", "€ 🔑 : @ / %"])(
    "the password %s lets in, as every other text does",
    async (password) => {
      const emulator = await startEmulator({ password });
      onTestFinished(() => emulator.close());
      const store = createStore(arangodb({ url: emulator.url, password }));
      onTestFinished(() => store.close());
      await store.set("k", 1);
      const stranger = createStore(arangodb({ url: emulator.url, password: `${password}x` }));
      const error = await refusalOf(stranger.get("k"));
      expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
      expect(inspect(error, { depth: 8 })).not.toContain(password);
    },
  );

  test("a token lets in, and a wrong one does not", async () => {
    const { emulator } = await place();
    const database = new Database({ url: emulator.url });
    const token = await database.login("root", PASSWORD);
    const store = createStore(arangodb({ url: emulator.url, token }));
    onTestFinished(() => store.close());
    await store.set("k", 1);
    expect(await store.get("k")).toBe(1);
    const stranger = createStore(arangodb({ url: emulator.url, token: `${token}x` }));
    expect(await refusalOf(stranger.get("k"))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
  });

  test("who may only read reads, and is told so when it writes; who may make no database is told that", async () => {
    const { emulator, store } = await place();
    await store().set("k", 1);
    const system = new Database({ url: emulator.url, auth: { username: "root", password: PASSWORD } });
    await system.createUser("reader", "lesen");
    await system.setUserAccessLevel("reader", { database: "faults" }, "ro");
    const reader = store({ username: "reader", password: "lesen" });
    expect(await reader.get("k")).toBe(1);
    const refused = await refusalOf(reader.set("k", 2));
    expect(refused.code).toBe("KV_READ_ONLY");
    expect(refused.message).toMatch(/only read/);
    const homeless = await refusalOf(
      store({ username: "reader", password: "lesen", database: "other" }).get("k"),
    );
    expect(homeless).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    expect(homeless.message).toMatch(/no database "other"|check the options/);
  });

  test("passwords are in no error, whatever is wrong", async () => {
    const { proxy, store } = await place();
    const one = store();
    await one.set("k", 1);
    for (const kind of ["refuse", "reset"] as const) {
      await proxy.set({ kind });
      expect(inspect(await refusalOf(one.get("k")), { depth: 8 })).not.toContain(PASSWORD);
    }
    await proxy.heal();
  });
});

describe("a database that was handed in", () => {
  test("is used, and stays open", async () => {
    const { emulator } = await place();
    const client = new Database({ url: emulator.url, auth: { username: "root", password: PASSWORD } });
    const store = createStore(arangodb({ client, collection: "handed" }));
    await store.set("k", 1);
    await store.close();
    expect((await client.version()).server).toBe("arango");
    expect(await client.collection("handed").count()).toMatchObject({ count: 1 });
  });

  test("may ask two coordinators in turn, repeat conflicts and record stack traces: order and counts are right", async () => {
    const { emulator, proxy } = await place();
    const client = new Database({
      url: [emulator.url, `http://127.0.0.1:${proxy.port}`],
      auth: { username: "root", password: PASSWORD },
      loadBalancingStrategy: "ROUND_ROBIN",
      retryOnConflict: 5,
      precaptureStackTraces: true,
      timeout: 20_000,
    });
    const store = createStore(arangodb({ client, collection: "turns", requestTimeout: 20_000 }), {
      timeout: 60,
    });
    onTestFinished(() => store.close());
    const other = createStore(arangodb({ client, collection: "turns", requestTimeout: 20_000 }), {
      timeout: 60,
    });
    onTestFinished(() => other.close());
    for (let i = 0; i < 20; i++) {
      await store.set("k", i);
      expect(await store.get("k")).toBe(i);
      expect(await other.get("k")).toBe(i);
    }
    await Promise.all(
      Array.from({ length: 30 }, () => Promise.all([store.increment("n"), other.increment("n")])),
    );
    expect(await store.get("n")).toBe(60);
    expect(proxy.accepted).toBeGreaterThan(0);
  });

  test("may have an address with a password in it, which nobody is shown", async () => {
    const client = new Database({ url: `http://root:${PASSWORD}@127.0.0.1:1` });
    const error = await refusalOf(createStore(arangodb({ client })).get("k"));
    expect(error.code).toBe("KV_UNAVAILABLE");
    expect(inspect(error, { depth: 8 })).not.toContain(PASSWORD);
  });

  test("may be of another layout, which is refused", async () => {
    const { emulator } = await place();
    const client = new Database({ url: emulator.url, auth: { username: "root", password: PASSWORD } });
    const store = createStore(arangodb({ client }));
    await store.set("k", 1);
    await store.close();
    await client.collection("kv_system").update("layout", { version: 99 });
    const later = createStore(arangodb({ client }));
    expect(await refusalOf(later.get("k"))).toMatchObject({ code: "KV_UNSUPPORTED" });
  });
});
