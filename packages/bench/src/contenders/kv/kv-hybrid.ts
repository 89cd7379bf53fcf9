import { basename, join } from "node:path";
import { redisDatabase } from "../../servers/redis-databases.ts";
import type { Contender } from "../../workload/contender.ts";
import { kvSubject } from "./kv-subject.ts";

export const kvHybrid: Contender = {
  name: "@kv/hybrid",
  role: "ours",
  packages: ["@kv/core", "@kv/hybrid", "@kv/redis", "ioredis"],
  note: "content addressed files, each with its SHA-256, over an index in Redis",
  async open(folder) {
    const [{ createStore }, { redisHybrid }] = await Promise.all([
      import("@kv/core"),
      import("@kv/hybrid/redis"),
    ]);
    const url = redisDatabase("@kv/hybrid");
    return kvSubject(
      createStore(redisHybrid({ url, prefix: `${basename(folder)}:`, directory: join(folder, "hybrid") })),
    );
  },
};
