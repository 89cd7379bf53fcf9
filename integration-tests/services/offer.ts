import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { arangodbServers } from "./arangodb.ts";
import { redisServers } from "./redis/redis.ts";
import { redisCluster } from "./redis/redis-cluster.ts";
import { redisSentinel } from "./redis/redis-sentinel.ts";
import { isMissing, type Missing, type Service } from "./service.ts";

/** The services that all test files of a run share, by name. */
const starters: Record<string, () => Promise<(Service | Missing)[]>> = {
  arangodb: arangodbServers,
  redis: redisServers,
  "redis-cluster": async () => [await redisCluster()],
  "redis-sentinel": async () => [await redisSentinel()],
};

export interface Offer {
  /** The address at which test files ask for services. */
  readonly url: string;
  /** Stops the services that were started. */
  close(): Promise<void>;
}

/** Starts a service when the first test file asks for it, once for all of them: each file runs in a separate process. */
export async function offerServices(): Promise<Offer> {
  const started = new Map<string, Promise<(Service | Missing)[]>>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const name = request.url?.slice(1) ?? "";
    try {
      const start = starters[name];
      if (start === undefined) throw new Error(`there is no test service "${name}"`);
      const services = started.get(name) ?? announced(name, start());
      started.set(name, services);
      response.end(JSON.stringify((await services).map(told)));
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? error.message : String(error));
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port of loopback is free");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async close() {
      server.close();
      server.closeAllConnections();
      for (const services of await Promise.allSettled(started.values())) {
        if (services.status === "rejected") continue;
        for (const service of services.value) {
          // A service that cannot be stopped must not keep the others running.
          if (!isMissing(service)) await service.stop().catch(() => undefined);
        }
      }
    },
  };
}

/** Prints which service a run was tested on. */
async function announced(
  name: string,
  services: Promise<(Service | Missing)[]>,
): Promise<(Service | Missing)[]> {
  for (const service of await services) {
    const how = service.how === undefined ? "" : ` (${service.how})`;
    if (isMissing(service)) console.log(`Test service ${name}${how}: none, since ${service.reason}`);
    else console.log(`Test service ${name}${how}: ${service.describe}`);
  }
  return services;
}

/** The part of a service that another process can use. */
function told(service: Service | Missing): object {
  return Object.fromEntries(Object.entries(service).filter(([name]) => name !== "processes"));
}
