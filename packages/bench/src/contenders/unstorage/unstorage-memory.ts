import { loadPeer } from "../../peers.ts";
import type { Contender } from "../../workload/contender.ts";
import { type UnstorageModule, unstorageSubject } from "./unstorage-subject.ts";

interface DriverModule {
  default(options: object): object;
}

export const unstorageMemory: Contender = {
  name: "unstorage",
  role: "peer",
  packages: ["unstorage"],
  note: "its memory driver, a Map of JSON text; it has no TTL",
  async open() {
    const [{ createStorage }, { default: memoryDriver }] = await Promise.all([
      loadPeer<UnstorageModule>("unstorage"),
      loadPeer<DriverModule>("unstorage/drivers/memory"),
    ]);
    return unstorageSubject(createStorage({ driver: memoryDriver({}) }));
  },
};
