import { join } from "node:path";
import { loadPeer } from "../../peers.ts";
import type { Contender } from "../../workload/contender.ts";
import { type UnstorageModule, unstorageSubject } from "./unstorage-subject.ts";

interface Database {
  exec(sql: string): Promise<unknown>;
}

interface DatabaseModule {
  createDatabase(connector: object): Database;
}

interface ConnectorModule {
  default(options: { path: string }): object;
}

interface DriverModule {
  default(options: { database: Database }): object;
}

export const unstorageSqlite: Contender = {
  name: "unstorage",
  role: "peer",
  packages: ["unstorage", "db0", "better-sqlite3"],
  note: "its db0 driver over better-sqlite3, switched to WAL; it has no TTL",
  async open(folder) {
    const [{ createStorage }, { createDatabase }, { default: connector }, { default: driver }] =
      await Promise.all([
        loadPeer<UnstorageModule>("unstorage"),
        loadPeer<DatabaseModule>("db0"),
        loadPeer<ConnectorModule>("db0/connectors/better-sqlite3"),
        loadPeer<DriverModule>("unstorage/drivers/db0"),
      ]);
    // It would warn of its db0 driver, once, right across the progress bar.
    Object.assign(globalThis, { __unstorage_db0_experimental_warning__: true });
    const database = createDatabase(connector({ path: join(folder, "unstorage.db") }));
    await database.exec("PRAGMA journal_mode = WAL");
    await database.exec("PRAGMA synchronous = NORMAL");
    return unstorageSubject(createStorage({ driver: driver({ database }) }));
  },
};
