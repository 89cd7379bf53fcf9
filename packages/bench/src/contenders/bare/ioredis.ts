import { redisDatabase } from "../../servers/redis-databases.ts";
import type { Contender } from "../../workload/contender.ts";
import { ioredisSubject } from "./ioredis-subject.ts";

export const ioredis: Contender = {
  name: "ioredis",
  role: "bare",
  packages: ["ioredis"],
  note: "the driver by itself, a command per call: no metadata, no index; MGET, MSET; a range is SCAN with MATCH, then MGET",
  async open() {
    const { Redis } = await import("ioredis");
    return ioredisSubject(new Redis(redisDatabase("ioredis")));
  },
};
