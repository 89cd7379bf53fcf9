import { setTimeout as sleep } from "node:timers/promises";
import { createStore, namespaceOf } from "@kv/core";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { redis } from "../../src/index.ts";
import { startFakeServer } from "../support/fake-server.ts";
import { runProgram } from "../support/program.ts";
import { needsServer } from "../support/server.ts";
import { eventually, serverFor } from "../support/stores.ts";

/** A program whose clock is wrong before anything is imported. It prints the milliseconds left until deadlines. */
const program = (port: number, clock: string, steps: string) => `
  const real = Date.now;
  ${clock}
  const { createStore } = await import("@kv/core");
  const { redis } = await import("@kv/redis");
  const { Redis } = await import("ioredis");
  const store = createStore(redis({ port: ${port} }));
  const bare = new Redis(${port});
  const left = async (key) => Number(await bare.pttl((await bare.keys("*:" + key))[0]));
  ${steps}
  await store.close();
  bare.disconnect();
`;

/** Deadlines of 60 s that are off by no more than 100 ms, plus the program's own running time. */
function expectRight(stdout: string, count: number): void {
  const lefts = stdout.trim().split("\n").map(Number);
  expect(lefts).toHaveLength(count);
  for (const left of lefts) {
    expect(left).toBeGreaterThan(59_000);
    expect(left).toBeLessThanOrEqual(60_100);
  }
}

describe("the server's clock", () => {
  beforeEach(needsServer);

  test.each([
    ["ten minutes behind", "Date.now = () => real() - 600_000;"],
    ["ten minutes ahead", "Date.now = () => real() + 600_000;"],
  ])("decides on a machine whose clock is %s, from the first tick on", async (_, clock) => {
    const server = await serverFor();
    const steps = `
      await Promise.all([
        store.set("a", 1, { ttl: "60s" }),
        store.create("b", 1, { ttl: "60s" }),
        store.increment("c", 1, { ttl: "60s" }),
        store.atomic().set("d", 1, { ttl: "60s" }).commit(),
      ]);
      for (const key of ["a", "b", "c", "d"]) console.log(await left(key));
      if ((await store.get("a")) !== 1) throw new Error("it is absent");
    `;
    const ended = await runProgram(program(server.port, clock, steps));
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expectRight(ended.stdout, 4);
  });

  test.each([
    [
      "is corrected while the store is open",
      "let off = -600_000; Date.now = () => real() + off;",
      "off = 0;",
      3,
    ],
    [
      "jumps every now and then",
      "let off = 0; Date.now = () => real() + off;",
      "off = (Math.random() - 0.5) * 1e6;",
      20,
    ],
  ])("decides where a machine's clock %s", async (_, clock, change, times) => {
    const server = await serverFor();
    const steps = `
      for (let i = 0; i < ${times}; i++) {
        await store.set("k" + i, 1, { ttl: "60s" });
        console.log(await left("k" + i));
        ${change}
      }
    `;
    const ended = await runProgram(program(server.port, clock, steps));
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expectRight(ended.stdout, times);
  });

  test("decides where a machine's clock jumps every second for a minute", async (ctx) => {
    ctx.skip(process.env["KV_TEST_FULL"] !== "1", "needs KV_TEST_FULL=1");
    const server = await serverFor();
    const clock = "let off = 0; Date.now = () => real() + off;";
    const steps = `
      const jump = setInterval(() => { off = (Math.random() - 0.5) * 1e6; }, 1000);
      const end = performance.now() + 60_000;
      for (let i = 0; performance.now() < end; i++) {
        await store.set("k", 1, { ttl: "60s" });
        const ms = await left("k");
        if (ms < 59_000 || ms > 60_100) console.log(ms);
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
      clearInterval(jump);
    `;
    const ended = await runProgram(program(server.port, clock, steps), 90_000);
    expect(ended).toMatchObject({ code: 0, stderr: "", stdout: "" });
  }, 120_000);

  test("is measured again after a reconnect, which may lead to another server", async () => {
    const server = await startFakeServer();
    onTestFinished(() => server.close());
    const adapter = redis({ port: server.port });
    const store = createStore(adapter);
    onTestFinished(() => store.close());
    await store.get("k");
    const expectAhead = (ms: number) =>
      expect(Math.abs(adapter.clock() - Date.now() - ms)).toBeLessThan(1000);
    expectAhead(0);
    server.ahead = 3_600_000;
    server.cut();
    await eventually(async () => {
      await store.get("k");
      expectAhead(3_600_000);
    });
    // The next sweep notices a clock that is set while the connection stays open.
    server.ahead = 0;
    await store.sweep();
    expectAhead(0);
  });

  test("a write that waits for a reconnect gets its deadline by the new server's", async () => {
    const server = await startFakeServer();
    onTestFinished(() => server.close());
    const adapter = redis({ port: server.port, waitForReconnect: true });
    const store = createStore(adapter);
    onTestFinished(() => store.close());
    await store.get("k");
    server.refuse(true);
    server.ahead = 3_600_000;
    await sleep(100);
    const written = store.set("k", 1, { ttl: "60s" });
    // Its deadline was computed already.
    const mutation = { type: "delete", key: "k" } as const;
    const late = adapter.commit(namespaceOf([]), [{ checks: [], mutations: [mutation] }]);
    const refused = Promise.resolve(late).catch((error: unknown) => error);
    await sleep(100);
    server.refuse(false);
    await written;
    expect(server.written).toContain(String(Math.floor((Date.now() + 3_660_000) / 100_000)));
    expect(await refused).toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: true,
      message: expect.stringContaining("clock"),
    });
  });
});
