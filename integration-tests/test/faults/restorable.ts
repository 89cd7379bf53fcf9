import { cpSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Adapter, createStore } from "@kv/core";
import { files, hybrid } from "@kv/hybrid";
import { backup as levelBackup, leveldb } from "@kv/leveldb";
import { redis } from "@kv/redis";
import { sqlite, backup as sqliteBackup } from "@kv/sqlite";
import { tiered } from "@kv/tiered";
import { Redis } from "ioredis";
import { needsRedisServer } from "../../services/redis/redis-binary.ts";
import { plainServer, RedisProcess } from "../../services/redis/redis-process.ts";

/** Where data lie that are backed up while they are in use, and restored. */
export interface Place {
  open(): Adapter;
  /** Of what is acknowledged by now, beside the stores that are open. */
  backup(): Promise<void>;
  /** As the README says, when no store is open but those of a server's clients. */
  restore(): Promise<void>;
  /** Whether stores stay open meanwhile, and go on. */
  readonly clientsGoOn?: boolean;
  dispose?(): Promise<void>;
}

/** In a directory of its own; a string: why there can be none here. */
export const PLACES: Readonly<Record<string, (directory: string) => Promise<Place | string>>> = {
  async sqlite(directory) {
    const path = join(directory, "store.db");
    const backup = join(directory, "backup.db");
    return {
      open: () => sqlite({ path, watchInterval: 5 }),
      async backup() {
        await using store = createStore(sqlite({ path }));
        await sqliteBackup(store, backup);
      },
      async restore() {
        putBack(backup, path);
      },
    };
  },

  async leveldb(directory) {
    const path = join(directory, "store");
    const backup = join(directory, "backup");
    let adapter = leveldb({ path });
    return {
      open() {
        adapter = leveldb({ path });
        return adapter;
      },
      async backup() {
        await using store = createStore(adapter);
        await levelBackup(store, backup);
      },
      async restore() {
        putBack(backup, path);
      },
    };
  },

  "hybrid over sqlite": (directory) =>
    hybridPlace(directory, (path) => sqlite({ path: `${path}.db`, watchInterval: 5 }), {
      ends: ".db",
      copy: (store, path) => sqliteBackup(store, path),
    }),

  "hybrid over leveldb": (directory) =>
    hybridPlace(directory, (path) => leveldb({ path }), {
      ends: "",
      copy: (store, path) => levelBackup(store, path),
    }),

  async "tiered behind leveldb over sqlite"(directory) {
    const [near, path, backup] = ["near", "far.db", "backup.db"].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    const far = (): Adapter => sqlite({ path });
    let adapter = tiered({ near: leveldb({ path: near }), far: far(), write: "behind" });
    return {
      open() {
        adapter = tiered({ near: leveldb({ path: near }), far: far(), write: "behind" });
        return adapter;
      },
      async backup() {
        await adapter.flush();
        await using store = createStore(far());
        await sqliteBackup(store, backup);
      },
      async restore() {
        rmSync(near, { recursive: true });
        putBack(backup, path);
      },
    };
  },

  async redis() {
    const missing = await needsRedisServer();
    if (missing !== undefined) return missing.reason;
    let directory = "";
    const server = await RedisProcess.start({
      args(place) {
        directory = place.directory;
        return plainServer(place);
      },
    });
    const dump = (): string => join(directory, "dump.rdb");
    return {
      clientsGoOn: true,
      open: () => redis({ url: server.url, prefix: "restore:" }),
      async backup() {
        const client = new Redis(server.url);
        await client.save();
        client.disconnect();
        renameSync(dump(), `${dump()}.backup`);
      },
      async restore() {
        await server.kill();
        cpSync(`${dump()}.backup`, dump());
        await server.start();
      },
      dispose: () => server.stop(),
    };
  },
};

async function hybridPlace(
  directory: string,
  indexAt: (path: string) => Adapter,
  {
    ends,
    copy,
  }: {
    readonly ends: string;
    readonly copy: (store: ReturnType<typeof createStore>, path: string) => Promise<unknown>;
  },
): Promise<Place> {
  const path = join(directory, "index");
  const backup = join(directory, "backup");
  const over = (index: Adapter): Adapter =>
    hybrid({ index, directory: join(directory, "files"), inlineBelow: 0, collectInterval: null });
  let index = indexAt(path);
  let adapter = over(index);
  return {
    open() {
      index = indexAt(path);
      adapter = over(index);
      return adapter;
    },
    async backup() {
      mkdirSync(backup);
      await using store = createStore(adapter);
      await using ofIndex = createStore(index);
      await files(store).backup(join(backup, "files"), {
        index: () => copy(ofIndex, join(backup, `index${ends}`)),
      });
    },
    async restore() {
      putBack(join(backup, "files"), join(directory, "files"));
      putBack(join(backup, `index${ends}`), path + ends);
    },
  };
}

/** In the place of what is there, of which nothing may stay. */
function putBack(backup: string, path: string): void {
  for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { recursive: true, force: true });
  cpSync(backup, path, { recursive: true });
}
