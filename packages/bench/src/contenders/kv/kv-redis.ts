import { basename } from "node:path";
import { redisDatabase } from "../../servers/redis-databases.ts";
import type { Contender } from "../../workload/contender.ts";
import { kvSubject } from "./kv-subject.ts";

export const kvRedis: Contender = {
  name: "@kv/redis",
  role: "ours",
  packages: ["@kv/core", "@kv/redis", "ioredis"],
  async open(folder) {
    const [{ createStore }, { redis }] = await Promise.all([import("@kv/core"), import("@kv/redis")]);
    // Two of ours may be open at once, of different sizes: the folder tells them apart.
    const prefix = `${basename(folder)}:`;
    return kvSubject(createStore(redis({ url: redisDatabase("@kv/redis"), prefix })));
  },
};
