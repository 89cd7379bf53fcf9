import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createStore } from "@kv/core";
import { memory } from "@kv/memory";
import { redis } from "@kv/redis";
import { tiered } from "@kv/tiered";
import { test } from "vitest";
import { sharedRedisServer } from "../../services/shared.ts";

// The suite reads this when it is loaded. Properties need few runs here, since only the far tier varies.
process.env["KV_TEST_THOROUGHNESS"] ??= "1";
const { describeConformance } = await import("@kv/conformance");

const full = process.env["KV_TEST_FULL"] === "1";
const server = full ? await sharedRedisServer() : { reason: "needs KV_TEST_FULL=1" };

for (const write of ["through", "behind"] as const) {
  const name = `tiered ${write} memory/redis`;
  if ("reason" in server) {
    test(name, (context) => context.skip(String(server.reason)));
    continue;
  }
  const { url } = server;
  describeConformance({
    name,
    create() {
      const prefix = `conformance-${randomUUID()}:`;
      const open = () => tiered({ near: memory(), far: redis({ url, prefix }), write });
      return {
        adapter: open(),
        // Writes that a near tier in memory acknowledged but did not flush are lost with the process.
        ...(write === "through" ? { reopen: open } : {}),
        async dispose() {
          await using store = createStore(redis({ url, prefix }));
          await store.clear({ namespaces: true });
        },
      };
    },
    // Changes come back from the server.
    settle: () => sleep(100),
  });
}
