import { redisDatabase } from "../../servers/redis-databases.ts";
import type { Contender, Pair, Value } from "../../workload/contender.ts";
import { bytesIn, bytesOf } from "../bytes.ts";

export const ioredisBytes: Contender = {
  name: "ioredis",
  role: "bare",
  packages: ["ioredis"],
  note: "the driver by itself: SET and GET of a Buffer, in the server's memory",
  async open() {
    const { Redis } = await import("ioredis");
    const client = new Redis(redisDatabase("ioredis, bytes"));
    const get = async (key: string): Promise<Value | undefined> => bytesIn(await client.getBuffer(key));
    const set = (key: string, value: Value) => client.set(key, Buffer.from(bytesOf(value).buffer));
    return {
      get,
      set,
      getMany: (keys: readonly string[]) => Promise.all(keys.map(get)),
      setMany: (pairs: readonly Pair[]) => Promise.all(pairs.map(([key, value]) => set(key, value))),
      close: () => client.quit(),
    };
  },
};
