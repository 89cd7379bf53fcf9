import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { arangodb } from "@kv/arangodb";
import { describeConformance } from "@kv/conformance";

/** Watchers are told within two looks. */
const WATCH_INTERVAL = 20;

/** The contract on an ArangoDB, or on what says it is one. Every case has collections of its own. */
export function describeArangodb(name: string, url: string): void {
  describeConformance({
    name,
    create() {
      const collection = `conformance-${randomUUID()}`;
      const open = () => arangodb({ url, collection, watchInterval: WATCH_INTERVAL });
      return { adapter: open(), reopen: open };
    },
    settle: () => sleep(5 * WATCH_INTERVAL),
  });
}
