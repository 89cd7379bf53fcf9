import { beforeEach, describe, expect, test } from "vitest";
import { runProgram } from "../support/program.ts";
import { freePort, needsServer } from "../support/server.ts";
import { serverFor } from "../support/stores.ts";

const program = (options: string, steps: string) => `
  import { createStore } from "@kv/core";
  import { redis } from "@kv/redis";
  import { Cluster, Redis } from "ioredis";
  const store = createStore(redis(${options}));
  ${steps}
`;

describe("what keeps a process alive", () => {
  beforeEach(needsServer);

  test("not an open store, and an operation until it is done", async () => {
    const server = await serverFor();
    const steps = `
      await store.setMany(Array.from({ length: 2000 }, (_, i) => ["k" + i, i]), { ttl: 60 });
      for await (const key of store.keys());
      console.log(await store.count(), await store.clear());
    `;
    expect(await runProgram(program(`{ port: ${server.port} }`, steps))).toEqual({
      code: 0,
      stdout: "2000 2000\n",
      stderr: "",
    });
  });

  test("a watch, until it ends", async () => {
    const server = await serverFor();
    const steps = `
      const subscription = await store.subscribe(({ key }) => {
        console.log(key);
        void subscription.unsubscribe();
      });
      setTimeout(async () => {
        const other = createStore(redis({ port: ${server.port} }));
        await other.set("first", 1);
        await other.close();
      }, 1_000).unref();
    `;
    expect(await runProgram(program(`{ port: ${server.port} }`, steps))).toEqual({
      code: 0,
      stdout: "first\n",
      stderr: "",
    });
  });

  test.each([
    ["a server", (port: number) => `{ port: ${port} }`],
    ["a Cluster", (port: number) => `{ cluster: ["127.0.0.1:${port}"] }`],
    ["Sentinels", (port: number) => `{ sentinels: ["127.0.0.1:${port}"], name: "mymaster" }`],
  ])("not %s that is away", async (_, options) => {
    const port = await freePort();
    const steps = `
      const failed = await store.set("k", 1).catch(({ code }) => code);
      console.log(failed);
    `;
    expect(await runProgram(program(options(port), steps))).toEqual({
      code: 0,
      stdout: "KV_UNAVAILABLE\n",
      stderr: "",
    });
  });

  test("not a server that has gone", async () => {
    const server = await serverFor();
    const steps = `
      await store.set("k", 1);
      const bare = new Redis({ port: ${server.port}, retryStrategy: null });
      bare.on("error", () => undefined);
      await bare.shutdown("NOSAVE").catch(() => undefined);
      bare.disconnect();
      console.log("gone");
    `;
    expect(await runProgram(program(`{ port: ${server.port} }`, steps))).toEqual({
      code: 0,
      stdout: "gone\n",
      stderr: "",
    });
  });

  test("a client that was handed in, as its owner wants", async () => {
    const server = await serverFor();
    const steps = `
      await store.set("k", 1);
      await store.subscribe(() => undefined).then((subscription) => subscription.unsubscribe());
      await store.close();
      setTimeout(() => { console.log("alive"); client.disconnect(); }, 300).unref();
    `;
    const options = `{ client: globalThis.client }`;
    const text = `const { Redis } = await import("ioredis"); globalThis.client = new Redis(${server.port});\n`;
    const ended = await runProgram(
      `${text}const { createStore } = await import("@kv/core"); const { redis } = await import("@kv/redis");
       const store = createStore(redis(${options}));${steps}`,
    );
    expect(ended).toEqual({ code: 0, stdout: "alive\n", stderr: "" });
  });
});

describe("the driver prints nothing", () => {
  beforeEach(needsServer);

  test("where INFO is not permitted", async () => {
    const server = await serverFor();
    await server.bare.call("ACL", "SETUSER", "some", "on", ">pw", "~*", "&*", "+@all", "-info");
    const options = `{ port: ${server.port}, username: "some", password: "pw" }`;
    const steps = `
      await store.subscribe(() => undefined).then((subscription) => subscription.unsubscribe());
      await store.set("k", 1);
      await store.close();
    `;
    expect(await runProgram(program(options, steps))).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("where a Cluster does not permit INFO", async () => {
    const server = await serverFor("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1");
    await server.bare.cluster("ADDSLOTS", ...Array.from({ length: 16_384 }, (_, slot) => slot));
    await server.bare.call("ACL", "SETUSER", "some", "on", ">pw", "~*", "&*", "+@all", "-info");
    const options = `{ cluster: ["127.0.0.1:${server.port}"], username: "some", password: "pw" }`;
    const steps = `
      for (let left = 100; left > 0; left--) {
        try { await store.set("k", 1); break; } catch { await new Promise((resolve) => setTimeout(resolve, 50)); }
      }
      await store.subscribe(() => undefined).then((subscription) => subscription.unsubscribe());
      console.log(await store.get("k"));
    `;
    expect(await runProgram(program(options, steps))).toEqual({ code: 0, stdout: "1\n", stderr: "" });
  });

  test("where a password is given that none asked for, or a wrong one", async () => {
    const server = await serverFor();
    const given = await runProgram(
      program(
        `{ port: ${server.port}, password: "pw" }`,
        `console.log(await store.set("k", 1).catch(({ code }) => code) !== "");`,
      ),
    );
    expect(given).toMatchObject({ code: 0, stderr: "" });
    await server.bare.config("SET", "requirepass", "right");
    const wrong = await runProgram(
      program(
        `{ port: ${server.port}, password: "wrong" }`,
        `console.log(await store.get("k").catch(({ code }) => code));`,
      ),
    );
    expect(wrong).toEqual({ code: 0, stdout: "KV_UNAVAILABLE\n", stderr: "" });
  });
});
