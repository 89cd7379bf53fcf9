import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** How far above its port a Redis Cluster's node listens for other nodes. */
const busOffset = 10_000;

/**
 * A free port of loopback whose cluster bus port is free as well. Both are below the range of outgoing connections, so
 * that no connection takes one while a killed server is away.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 22_000);
    if ((await isFree(port)) && (await isFree(port + busOffset))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    server.close();
    await once(server, "close");
    return true;
  } catch {
    return false;
  }
}
