import { join } from "node:path";
import type { Contender } from "../../workload/contender.ts";
import { kvSubject } from "./kv-subject.ts";

export const kvSqlite: Contender = {
  name: "@kv/sqlite",
  role: "ours",
  packages: ["@kv/core", "@kv/sqlite", "better-sqlite3"],
  async open(folder) {
    const [{ createStore }, { sqlite }] = await Promise.all([import("@kv/core"), import("@kv/sqlite")]);
    return kvSubject(createStore(sqlite({ path: join(folder, "kv.db") })));
  },
};
