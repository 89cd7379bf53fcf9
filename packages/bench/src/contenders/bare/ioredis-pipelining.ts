import { redisDatabase } from "../../servers/redis-databases.ts";
import type { Contender } from "../../workload/contender.ts";
import { ioredisSubject } from "./ioredis-subject.ts";

export const ioredisPipelining: Contender = {
  name: "ioredis, auto-pipelining",
  role: "bare",
  packages: ["ioredis"],
  note: "the same with `enableAutoPipelining`: the commands of a tick go out as one",
  async open() {
    const { Redis } = await import("ioredis");
    const url = redisDatabase("ioredis, auto-pipelining");
    return ioredisSubject(new Redis(url, { enableAutoPipelining: true }));
  },
};
