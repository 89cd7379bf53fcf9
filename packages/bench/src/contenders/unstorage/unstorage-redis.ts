import { loadPeer } from "../../peers.ts";
import { redisDatabase } from "../../servers/redis-databases.ts";
import type { Contender } from "../../workload/contender.ts";
import { SCAN_COUNT } from "../bare/ioredis-subject.ts";
import { type UnstorageModule, unstorageSubject } from "./unstorage-subject.ts";

interface DriverModule {
  default(options: { url: string; scanCount: number }): object;
}

export const unstorageRedis: Contender = {
  name: "unstorage",
  role: "peer",
  packages: ["unstorage", "ioredis"],
  note: `its redis driver, which needs ioredis 5, with SCANs of ${SCAN_COUNT.toLocaleString("en")} names (default: 10)`,
  async open() {
    const [{ createStorage }, { default: driver }] = await Promise.all([
      loadPeer<UnstorageModule>("unstorage"),
      loadPeer<DriverModule>("unstorage/drivers/redis"),
    ]);
    const url = redisDatabase("unstorage");
    const storage = createStorage({ driver: driver({ url, scanCount: SCAN_COUNT }) });
    return {
      ...unstorageSubject(storage),
      setExpiring: (key, value, ttlMs) => storage.setItem(key, value, { ttl: ttlMs / 1000 }),
    };
  },
};
