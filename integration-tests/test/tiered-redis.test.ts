import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describeConformance } from "@kv/conformance";
import { createStore } from "@kv/core";
import { memory } from "@kv/memory";
import { redis } from "@kv/redis";
import { tiered } from "@kv/tiered";
import { test } from "vitest";
import { sharedRedisServer } from "../services/shared.ts";

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
        // What a near tier of memory has acknowledged and not flushed goes with the process.
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
