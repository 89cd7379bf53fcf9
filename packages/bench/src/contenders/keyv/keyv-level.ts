import { join } from "node:path";
import { loadPeer } from "../../peers.ts";
import type { Contender } from "../../workload/contender.ts";
import { CACHE_BYTES } from "../bare/classic-level.ts";
import { type KeyvModule, keyvSubject } from "./keyv-subject.ts";

interface Put {
  readonly type: "put";
  readonly key: string;
  readonly value: string;
}

/** The part of classic-level's interface that a store for Keyv needs. */
interface Level {
  open(): Promise<void>;
  get(key: string): Promise<string | undefined>;
  getMany(keys: readonly string[]): Promise<(string | undefined)[]>;
  has(key: string): Promise<boolean>;
  hasMany(keys: readonly string[]): Promise<boolean[]>;
  put(key: string, value: string): Promise<void>;
  del(key: string): Promise<void>;
  batch(operations: readonly (Put | { readonly type: "del"; readonly key: string })[]): Promise<void>;
  clear(): Promise<void>;
  iterator(): AsyncIterable<[key: string, value: string]>;
  close(): Promise<void>;
}

interface LevelModule {
  readonly ClassicLevel: new (path: string, options: { cacheSize: number }) => Level;
}

interface CapabilityModule {
  keyvStorageCapability(adapter: object): object;
}

export const keyvLevel: Contender = {
  name: "Keyv 6 over level (own adapter)",
  role: "peer",
  packages: ["keyv", "classic-level"],
  note: "there is no adapter on npm, so ours, as thin as Keyv allows: it hands every call to the driver's own, setMany as one batch; Keyv itself drops what has expired",
  async open(folder) {
    const [{ Keyv, keyvStorageCapability }, { ClassicLevel }] = await Promise.all([
      loadPeer<KeyvModule & CapabilityModule>("keyv"),
      loadPeer<LevelModule>("classic-level"),
    ]);
    const level = new ClassicLevel(join(folder, "keyv"), { cacheSize: CACHE_BYTES });
    await level.open();
    const store = adapterOf(level);
    // It takes deadlines as they are: without this, Keyv would wrap it once more, and convert them to and fro.
    return keyvSubject(new Keyv({ store: { ...store, capabilities: keyvStorageCapability(store) } }));
  },
};

/** Keyv hands in text, its envelope with the deadline included, and checks deadlines when it gets it back. */
function adapterOf(level: Level) {
  return {
    get: (key: string) => level.get(key),
    getMany: (keys: readonly string[]) => level.getMany(keys),
    async set(key: string, value: string) {
      await level.put(key, value);
      return true;
    },
    async setMany(entries: readonly { readonly key: string; readonly value: string }[]) {
      await level.batch(entries.map(({ key, value }): Put => ({ type: "put", key, value })));
      return entries.map(() => true);
    },
    has: (key: string) => level.has(key),
    hasMany: (keys: readonly string[]) => level.hasMany(keys),
    async delete(key: string) {
      await level.del(key);
      return true;
    },
    async deleteMany(keys: readonly string[]) {
      await level.batch(keys.map((key) => ({ type: "del", key })));
      return keys.map(() => true);
    },
    clear: () => level.clear(),
    iterator: () => level.iterator(),
    disconnect: () => level.close(),
  };
}
