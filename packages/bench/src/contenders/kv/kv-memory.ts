import type { Contender } from "../../workload/contender.ts";
import { kvSubject } from "./kv-subject.ts";

export const kvMemory: Contender = {
  name: "@kv/memory",
  role: "ours",
  packages: ["@kv/core", "@kv/memory"],
  async open() {
    const [{ createStore }, { memory }] = await Promise.all([import("@kv/core"), import("@kv/memory")]);
    return kvSubject(createStore(memory()));
  },
};
