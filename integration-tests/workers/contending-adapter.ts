import type { Adapter } from "@kv/core";
import { redis } from "@kv/redis";

/** Impatient, as a history is only as long as its operations take; every other client waits for the server. */
export function contendingAdapter(port: number, prefix: string, index: number): Adapter {
  return redis({
    port,
    prefix,
    connectTimeout: 300,
    socketTimeout: 250,
    busyTimeout: 400,
    waitForReconnect: index % 2 === 1,
  });
}
