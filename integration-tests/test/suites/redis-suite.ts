import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describeConformance, type Harness } from "@kv/conformance";
import { createStore } from "@kv/core";
import { type RedisOptions, redis } from "@kv/redis";
import { test } from "vitest";
import type { Missing } from "../../services/service.ts";
import { views } from "./suite-views.ts";

/** The contract on a Redis, or the reason why it was not tried. Every case has the server to itself as far as its prefix goes. */
export function describeRedis<S extends object>(
  name: string,
  service: S | Missing,
  options: (service: S) => RedisOptions,
  harness: Pick<Harness, "together" | "deviations" | "views" | "codecs"> = {},
): void {
  if ("reason" in service) {
    test(name, (context) => context.skip(String(service.reason)));
    return;
  }
  describeConformance({
    views,
    ...harness,
    name,
    create() {
      const prefix = `conformance-${randomUUID()}:`;
      const open = () => redis({ ...options(service as S), prefix });
      return { adapter: open(), reopen: open, dispose: () => leaveNothing(open()) };
    },
    // Changes come back from the server.
    settle: () => sleep(100),
  });
}

/** The server may hold other data. And without an index, every case would scan what all the others left. */
async function leaveNothing(adapter: ReturnType<typeof redis>): Promise<void> {
  await using store = createStore(adapter);
  await store.clear({ namespaces: true });
}
