import { join } from "node:path";
import type { Contender } from "../../workload/contender.ts";
import { kvSubject } from "./kv-subject.ts";

export const kvLeveldb: Contender = {
  name: "@kv/leveldb",
  role: "ours",
  packages: ["@kv/core", "@kv/leveldb", "classic-level"],
  async open(folder) {
    const [{ createStore }, { leveldb }] = await Promise.all([import("@kv/core"), import("@kv/leveldb")]);
    return kvSubject(createStore(leveldb({ path: join(folder, "kv") })));
  },
};
