import { loadPeer } from "../../peers.ts";
import { redisDatabase } from "../../servers/redis-databases.ts";
import type { Contender } from "../../workload/contender.ts";
import { type KeyvModule, keyvSubject } from "./keyv-subject.ts";

interface KeyvRedisModule {
  readonly default: new (url: string, options: object) => object;
}

export const keyvRedis: Contender = {
  name: "@keyv/redis",
  role: "peer",
  packages: ["@keyv/redis", "keyv", "@redis/client"],
  note: "the release candidate for Keyv 6 (the stable one needs Keyv 5), on its own driver, node-redis",
  async open() {
    const [{ Keyv }, { default: KeyvRedis }] = await Promise.all([
      loadPeer<KeyvModule>("keyv"),
      loadPeer<KeyvRedisModule>("@keyv/redis"),
    ]);
    // Otherwise its errors would be answers, so that failures would look fast, and it would iterate over nothing.
    const options = { throwOnErrors: true, noNamespaceAffectsAll: true };
    return keyvSubject(new Keyv({ store: new KeyvRedis(redisDatabase("@keyv/redis"), options) }));
  },
};
