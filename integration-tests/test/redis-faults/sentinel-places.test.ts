import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createStore } from "@kv/core";
import { redis } from "@kv/redis";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { redisSentinel } from "../../services/redis/redis-sentinel.ts";

const full = process.env["KV_TEST_FULL"] === "1";

describe("a master behind Sentinels", () => {
  test("is asked for the database again after a failover, keeps no process alive, and prints nothing", async (ctx) => {
    ctx.skip(!full, "needs KV_TEST_FULL=1");
    const service = await redisSentinel({ downAfter: 500 });
    if ("reason" in service) return ctx.skip(service.reason);
    ctx.onTestFinished(() => service.stop());
    const { name, processes } = service;
    // One Sentinel of the list is away.
    const sentinels = [...service.sentinels, { host: "127.0.0.1", port: 1 }];

    const program = `
      import { createStore } from "@kv/core";
      import { redis } from "@kv/redis";
      const store = createStore(redis(${JSON.stringify({ sentinels, name, db: 3 })}));
      console.log(await store.increment("runs"));
      await new Promise((resolve) => setTimeout(resolve, 500));
    `;
    expect(await run(program)).toEqual({ code: 0, stdout: "1\n", stderr: "" });

    await using store = createStore(redis({ sentinels, name, db: 3 }));
    expect(await store.increment("runs")).toBe(2);
    const replica = new Redis(processes.replica.url);
    replica.on("error", () => undefined);
    ctx.onTestFinished(() => replica.disconnect());
    // A client that follows the failover to the replica may not SELECT there.
    await replica.call("ACL", "SETUSER", "default", "-select");
    await processes.master.kill();
    const until = performance.now() + 30_000;
    let failure: unknown;
    while (performance.now() < until) {
      failure = await store.set("k", 1).catch((error: unknown) => error);
      if (failure instanceof Error && failure.message.includes("SELECT")) break;
      await sleep(100);
    }
    expect(failure).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    expect(String(await replica.info("keyspace"))).not.toContain("db0:");
    await replica.call("ACL", "SETUSER", "default", "+select");
    expect(await store.increment("runs")).toBe(3);

    // Where everything is away, Sentinels included, it goes on trying.
    const all = [...processes.sentinels, processes.replica];
    await Promise.all(all.map((process) => process.kill()));
    await sleep(2_000);
    expect(await store.get("runs").catch((error: unknown) => error)).toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: true,
      message: expect.stringContaining("entinel"),
    });
    await processes.replica.start();
    // It starts as what it was at first.
    await replica.replicaof("NO", "ONE");
    await Promise.all(processes.sentinels.map((process) => process.start()));
    const back = performance.now() + 30_000;
    let written: unknown;
    while (performance.now() < back) {
      written = await store.set("k", 4).catch((error: unknown) => error);
      if (typeof written === "string") break;
      await sleep(100);
    }
    expect(written).toBeTypeOf("string");
  }, 120_000);
});

async function run(text: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ["--input-type=module", "-"], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.end(text);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  return { code, stdout, stderr };
}
