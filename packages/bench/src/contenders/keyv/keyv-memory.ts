import { loadPeer } from "../../peers.ts";
import type { Contender } from "../../workload/contender.ts";
import { type KeyvModule, keyvSubject } from "./keyv-subject.ts";

export const keyvMemory: Contender = {
  name: "Keyv 6",
  role: "peer",
  packages: ["keyv"],
  note: "its default store, a Map of JSON text",
  async open() {
    const { Keyv } = await loadPeer<KeyvModule>("keyv");
    return keyvSubject(new Keyv());
  },
};
