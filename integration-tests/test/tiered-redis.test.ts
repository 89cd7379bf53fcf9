import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describeConformance } from "@kv/conformance";
import { createStore } from "@kv/core";
import { memory } from "@kv/memory";
import { redis } from "@kv/redis";
import { tiered } from "@kv/tiered";
import { test } from "vitest";
import { sharedRedisServer } from "../services/shared.ts";

const server = await sharedRedisServer();

if ("reason" in server) {
  test("tiered memory/redis", (context) => context.skip(String(server.reason)));
} else {
  const { url } = server;
  describeConformance({
    name: "tiered through memory/redis",
    create() {
      const prefix = `conformance-${randomUUID()}:`;
      const open = () => tiered({ near: memory(), far: redis({ url, prefix }) });
      return {
        adapter: open(),
        reopen: open,
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
