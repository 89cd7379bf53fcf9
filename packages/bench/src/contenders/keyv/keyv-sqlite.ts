import { join } from "node:path";
import { loadPeer } from "../../peers.ts";
import type { Contender } from "../../workload/contender.ts";
import { type KeyvModule, keyvSubject } from "./keyv-subject.ts";

interface KeyvSqliteModule {
  readonly KeyvSqlite: new (options: object) => object;
}

export const keyvSqlite: Contender = {
  name: "@keyv/sqlite",
  role: "peer",
  packages: ["@keyv/sqlite", "keyv"],
  note: "the beta for Keyv 6 (the stable one needs Keyv 5 and has no WAL), with WAL, the same better-sqlite3 as the others, and pages of 1,000 in scans (default: 10)",
  async open(folder) {
    const [{ Keyv }, { KeyvSqlite }] = await Promise.all([
      loadPeer<KeyvModule>("keyv"),
      loadPeer<KeyvSqliteModule>("@keyv/sqlite"),
    ]);
    const uri = `sqlite://${join(folder, "keyv.db")}`;
    // better-sqlite3 is compiled with synchronous = NORMAL as the default of WAL mode; there is no option for it.
    return keyvSubject(
      new Keyv({ store: new KeyvSqlite({ uri, wal: true, driver: "better-sqlite3", iterationLimit: 1000 }) }),
    );
  },
};
